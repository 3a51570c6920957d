"""Routes of the REST API (spec section 7), grouped by object. No address ends with a slash."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from console.api import agent_parts, agents, approvals, audit
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
    path("approvals", approvals.ApprovalList.as_view(), name="approvals"),
    path("audit", audit.AuditList.as_view(), name="audit"),
    re_path("", Nowhere.as_view(), name="nowhere"),
]
