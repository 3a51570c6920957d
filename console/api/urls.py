"""Routes of the REST API (spec section 7), grouped by object. No address ends with a slash."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from console.api import applying, audit, configs, limits, needs, plans, signing
from console.api.agents import acts as agent_acts
from console.api.agents import ends, facets, quarantines
from console.api.agents import parts as agent_parts
from console.api.agents import views as agents
from console.api.rollouts import acts as rollout_acts
from console.api.rollouts import approvals, errors, readiness, rollbacks, shares, waiting
from console.api.rollouts import events as rollout_events
from console.api.rollouts import views as rollouts
from console.api.views import Nowhere

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("agents", agents.AgentList.as_view(), name="agents"),
    path("agents/facets", facets.Facets.as_view(), name="agent-facets"),
    path("agents/retire", ends.RetireSelection.as_view(), name="retire-selection"),
    path("agents/<str:uid>", agent_parts.AgentDetail.as_view(), name="agent"),
    path("agents/<str:uid>/labels", agent_acts.Labels.as_view(), name="labels"),
    path("agents/<str:uid>/retire", ends.Retire.as_view(), name="retire"),
    path("agents/<str:uid>/take-over", ends.TakeOver.as_view(), name="take-over"),
    path("agents/<str:uid>/restart", agent_acts.Restart.as_view(), name="restart"),
    path("agents/<str:uid>/retry-config", agent_acts.RetryConfig.as_view(), name="retry-config"),
    path("agents/<str:uid>/full-state", agent_acts.FullState.as_view(), name="full-state"),
    path("agents/<str:uid>/rename", agent_acts.Rename.as_view(), name="rename"),
    path(
        "agents/<str:uid>/custom-message",
        agent_acts.CustomMessage.as_view(),
        name="custom-message",
    ),
    path("agents/<str:uid>/settings", agent_acts.ConnectionSettings.as_view(), name="settings"),
    path("agents/<str:uid>/deliveries", agent_parts.Deliveries.as_view(), name="deliveries"),
    path("agents/<str:uid>/history", agent_parts.History.as_view(), name="history"),
    path("agents/<str:uid>/health", agent_parts.Health.as_view(), name="health"),
    path(
        "agents/<str:uid>/effective-config",
        agent_parts.EffectiveConfig.as_view(),
        name="effective-config",
    ),
    path("apply", applying.Apply.as_view(), name="apply"),
    path("approvals", approvals.ApprovalList.as_view(), name="approvals"),
    path("config", configs.Upload.as_view(), name="config"),
    path("configs", configs.ConfigList.as_view(), name="configs"),
    path("configs/<slug:name>/versions", configs.VersionList.as_view(), name="versions"),
    path(
        "configs/<slug:name>/versions/<str:number>",
        configs.VersionDetail.as_view(),
        name="version",
    ),
    path(
        "configs/<slug:name>/versions/<str:number>/body",
        configs.VersionBody.as_view(),
        name="version-body",
    ),
    path(
        "configs/by-hash/<str:config_hash>/signature",
        signing.Signature.as_view(),
        name="signature",
    ),
    path("signing-keys", signing.KeyList.as_view(), name="signing-keys"),
    path("signing-keys/<str:key_id>/bad", signing.KeyBad.as_view(), name="signing-key-bad"),
    path("needs", needs.NeedList.as_view(), name="needs"),
    path("needs/acknowledge", needs.Acknowledge.as_view(), name="acknowledge"),
    path("quarantines", quarantines.QuarantineList.as_view(), name="quarantines"),
    path("quarantines/lift", quarantines.LiftVersion.as_view(), name="quarantine-lift-version"),
    path("quarantines/<int:pk>/lift", quarantines.Lift.as_view(), name="quarantine-lift"),
    path("plans", plans.PlanList.as_view(), name="plans"),
    path("plans/<slug:name>", plans.PlanDetail.as_view(), name="plan"),
    path("plans/<slug:name>/check", plans.PlanCheck.as_view(), name="plan-check"),
    path("selectors", plans.SelectorList.as_view(), name="selectors"),
    path("selectors/<slug:name>", plans.SelectorDetail.as_view(), name="selector"),
    path("rollouts", rollouts.RolloutList.as_view(), name="rollouts"),
    path("rollouts/preview", rollouts.Preview.as_view(), name="rollout-preview"),
    path("rollouts/<int:pk>", rollouts.RolloutDetail.as_view(), name="rollout"),
    path("rollouts/<int:pk>/readiness", readiness.Readiness.as_view(), name="readiness"),
    path("rollouts/<int:pk>/errors", errors.RolloutErrors.as_view(), name="errors"),
    *[
        path(f"rollouts/<int:pk>/{verb}", view.as_view(), name=verb)
        for verb, view in rollout_acts.ACTS.items()
    ],
    path("rollouts/<int:pk>/wait", waiting.Wait.as_view(), name="wait"),
    path("rollouts/<int:pk>/share-links", shares.ShareLinks.as_view(), name="share-links"),
    path("share-links/<int:pk>", shares.ShareLinkDetail.as_view(), name="share-link"),
    path("rollouts/<int:pk>/events", rollout_events.Events.as_view(), name="events"),
    path("rollouts/<int:pk>/timeline", rollout_events.Timeline.as_view(), name="timeline"),
    path(
        "rollouts/<int:pk>/measurements",
        rollout_events.Measurements.as_view(),
        name="measurements",
    ),
    path("rollback", rollbacks.RollbackBySelector.as_view(), name="rollback"),
    path("rollbacks", rollbacks.RollbackList.as_view(), name="rollbacks"),
    path("rollbacks/<int:pk>", rollbacks.RollbackDetail.as_view(), name="rollback-detail"),
    path("rollbacks/<int:pk>/events", rollbacks.RollbackEvents.as_view(), name="rollback-events"),
    path("freeze-windows", limits.FreezeWindowList.as_view(), name="freeze-windows"),
    path("freeze-windows/<str:name>", limits.FreezeWindowDetail.as_view(), name="freeze-window"),
    path("budgets", limits.BudgetList.as_view(), name="budgets"),
    path("budgets/<str:name>", limits.BudgetDetail.as_view(), name="budget"),
    path("guards", limits.GuardList.as_view(), name="guards"),
    path("guards/<str:name>", limits.GuardDetail.as_view(), name="guard"),
    path("retirement-rules", ends.RetirementRules.as_view(), name="retirement-rules"),
    path(
        "retirement-rules/<str:name>", ends.RetirementRuleDetail.as_view(), name="retirement-rule"
    ),
    path("refused-agents", ends.RefusedAgents.as_view(), name="refused-agents"),
    path("audit", audit.AuditList.as_view(), name="audit"),
    re_path("", Nowhere.as_view(), name="nowhere"),
]
