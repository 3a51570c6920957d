"""Routes of the REST API (spec section 7), grouped by object. No address ends with a slash."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from console.api import agents
from console.api.views import Nowhere

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("agents", agents.AgentList.as_view(), name="agents"),
    path("agents/<str:uid>", agents.AgentDetail.as_view(), name="agent"),
    re_path("", Nowhere.as_view(), name="nowhere"),
]
