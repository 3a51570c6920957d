"""Routes of the REST API (spec section 7), grouped by object. No address ends with a slash."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from console.api import (
    agent_parts,
    agents,
    applying,
    approvals,
    audit,
    configs,
    plans,
    quarantines,
)
from console.api.views import Nowhere

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("agents", agents.AgentList.as_view(), name="agents"),
    path("agents/<str:uid>", agent_parts.AgentDetail.as_view(), name="agent"),
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
    path("quarantines", quarantines.QuarantineList.as_view(), name="quarantines"),
    path("quarantines/<int:pk>/lift", quarantines.Lift.as_view(), name="quarantine-lift"),
    path("plans", plans.PlanList.as_view(), name="plans"),
    path("plans/<slug:name>", plans.PlanDetail.as_view(), name="plan"),
    path("selectors", plans.SelectorList.as_view(), name="selectors"),
    path("selectors/<slug:name>", plans.SelectorDetail.as_view(), name="selector"),
    path("audit", audit.AuditList.as_view(), name="audit"),
    re_path("", Nowhere.as_view(), name="nowhere"),
]
