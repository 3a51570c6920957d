"""Routes of the pages, grouped by area (ui.md section 2). Included by `console.urls` at the root."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from console.pages import (
    accounts,
    limits,
    metrics_page,
    profile,
    signing_keys,
    styleguide,
)
from console.pages.agents import acts as agent_acts
from console.pages.agents import dialogs as agent_dialogs
from console.pages.agents import ends as agent_ends
from console.pages.agents import picks as agent_picks
from console.pages.agents import views as agents
from console.pages.approvals import views as approvals
from console.pages.audit import views as audit_log
from console.pages.certificates import views as certificates
from console.pages.configs import editor as config_editor
from console.pages.configs import listing as config_listing
from console.pages.configs import views as configs
from console.pages.fleet import needs as fleet_needs
from console.pages.fleet import views as fleet
from console.pages.plans import backtest, record
from console.pages.plans import views as plans
from console.pages.quarantine import views as quarantine
from console.pages.rollbacks import begin as rollback_begin
from console.pages.rollbacks import views as rollbacks
from console.pages.rollouts import agents_list, phase_detail, readiness, timeline
from console.pages.rollouts import listing as rollout_listing
from console.pages.rollouts import readings as evidence
from console.pages.rollouts import views as rollouts
from console.pages.rollouts.acts import table as acts
from console.pages.rollouts.acts import views as rollout_acts
from console.pages.rollouts.replay import views as replays
from console.pages.rollouts.wizard import views as wizard
from console.pages.search import views as search
from console.pages.shares import public as shared
from console.pages.shares import views as shares

Routes = list[URLPattern | URLResolver]

accounts_urls: Routes = [
    path("login/", accounts.login, name="login"),
    path("logout/", accounts.logout, name="logout"),
]
fleet_urls: Routes = [
    path("", fleet.overview, name="overview"),
    path("counts/", fleet.counts, name="counts"),
    path("needs/", fleet_needs.page, name="needs"),
    path("needs/seen/", fleet_needs.seen, name="seen"),
]
agents_urls: Routes = [
    path("", agents.agent_list, name="list"),
    path("export.csv", agents.export, name="export"),
    path("picked/", agent_picks.picked, name="picked"),
    path("refused/", agent_ends.refused, name="refused"),
    path("retire/", agent_ends.retire, name="retire-selection"),
    path("<uuid:uid>/", agents.detail, name="detail"),
    path("<uuid:uid>/config/", agents.detail, {"tab": "config"}, name="config"),
    path("<uuid:uid>/health/", agents.detail, {"tab": "health"}, name="health"),
    path("<uuid:uid>/certificate/", agents.detail, {"tab": "certificate"}, name="certificate"),
    path("<uuid:uid>/history/", agents.detail, {"tab": "history"}, name="history"),
    *[
        path(f"<uuid:uid>/{verb}/", agent_dialogs.act, {"verb": verb}, name=verb)
        for verb in agent_acts.ACTS
    ],
]
certificates_urls: Routes = [
    path("", certificates.index, name="list"),
    path("resume/", certificates.resume, name="resume"),
    path("push/<uuid:uid>/", certificates.push, name="push"),
    path("<int:certificate_id>/", certificates.detail, name="detail"),
    *[
        path(f"<int:certificate_id>/{verb}/", certificates.act, {"verb": verb}, name=verb)
        for verb in certificates.ACTS
    ],
]
configs_urls: Routes = [
    path("", config_listing.config_list, name="list"),
    path("new/", config_editor.upload, name="upload"),
    path("<slug:name>/", configs.detail, name="detail"),
    path("<slug:name>/edit/", config_editor.upload, name="edit"),
    path("<slug:name>/v/<int:number>/", configs.version, name="version"),
    path("<slug:name>/diff/<int:a>...<int:b>/", configs.compare, name="diff"),
]
rollouts_urls: Routes = [
    path("", rollout_listing.rollout_list, name="list"),
    path("new/", wizard.new, name="new"),
    path("new/preview/", wizard.preview, name="preview"),
    path("<int:rollout_id>/", rollouts.detail, name="detail"),
    path("<int:rollout_id>/agents/", agents_list.agents, name="agents"),
    path("<int:rollout_id>/phases/<int:number>/", phase_detail.page, name="phase"),
    path("<int:rollout_id>/readiness/", readiness.page, name="readiness"),
    path("<int:rollout_id>/timeline/", timeline.timeline, name="timeline"),
    path("<int:rollout_id>/share/", shares.page, name="share"),
    path("<int:rollout_id>/readings/", evidence.readings, name="readings"),
    path("<int:rollout_id>/replay/", replays.replay, name="replay"),
    path("<int:rollout_id>/start/", wizard.start, name="start"),
    path("<int:rollout_id>/edit/", wizard.edit, name="edit"),
    *[
        path(f"<int:rollout_id>/{verb}/", rollout_acts.act, {"verb": verb}, name=verb)
        for verb in acts.VERBS
    ],
]
rollbacks_urls: Routes = [
    path("", rollbacks.rollback_list, name="list"),
    path("new/", rollback_begin.new, name="new"),
    path("new/count/", rollback_begin.count, name="count"),
    path("<int:rollback_id>/", rollbacks.detail, name="detail"),
]
approvals_urls: Routes = [
    path("", approvals.inbox, name="inbox"),
    path("approve/", approvals.approve_several, name="approve"),
    path("<int:approval_id>/", approvals.detail, name="detail"),
]
plans_urls: Routes = [
    path("", plans.plan_list, name="list"),
    path("new/", plans.edit, name="new"),
    path("<slug:name>/", plans.detail, name="detail"),
    path("<slug:name>/edit/", plans.edit, name="edit"),
    path("<slug:name>/today/", plans.today, name="today"),
    path("<slug:name>/record/", record.record, name="record"),
    path("<slug:name>/backtest/", backtest.page, name="backtest"),
]
settings_urls: Routes = [
    path("", profile.index, name="index"),
    path("profile/", profile.profile, name="profile"),
    path("profile/end-others/", profile.end_others, name="end-others"),
    path("freeze/", limits.page, {"kind": "freeze"}, name="freeze"),
    path("budgets/", limits.page, {"kind": "budgets"}, name="budgets"),
    path("guards/", limits.page, {"kind": "guards"}, name="guards"),
    path("retirement/", limits.page, {"kind": "retirement"}, name="retirement"),
    path("signing-keys/", signing_keys.page, name="signing-keys"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("quarantine/<slug:config_hash>/", quarantine.detail, name="quarantined"),
    path("quarantine/<slug:config_hash>/lift/", quarantine.lift, name="lift"),
]
help_urls: Routes = [
    path("shortcuts/", profile.shortcuts, name="shortcuts"),
    path("metrics/", metrics_page.catalogue, name="metrics"),
]

urlpatterns: Routes = [
    path("", include((fleet_urls, "fleet"))),
    path("", include((accounts_urls, "accounts"))),
    path("agents/", include((agents_urls, "agents"))),
    path("certificates/", include((certificates_urls, "certificates"))),
    path("configs/", include((configs_urls, "configs"))),
    path("rollouts/", include((rollouts_urls, "rollouts"))),
    path("plans/", include((plans_urls, "plans"))),
    path("rollbacks/", include((rollbacks_urls, "rollbacks"))),
    path("audit/", include(([path("", audit_log.page, name="list")], "audit"))),
    path("search/", include(([path("", search.page, name="page")], "search"))),
    path("shared/<str:secret>/", shared.shared, name="shared"),
    path("r/<str:number>", rollouts.short_link, name="short-link"),
    path("approvals/", include((approvals_urls, "approvals"))),
    path("settings/", include((settings_urls, "settings"))),
    path("help/", include((help_urls, "help"))),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
