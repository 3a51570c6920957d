"""All routes: pages, REST API, and what Tidegate says about itself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from console.api.signing import published_keys
from console.pages import api_docs as docs
from console.pages import system

handler400 = "console.pages.errors.unreadable"
handler404 = "console.pages.errors.not_found"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.urls_pages")),
    path("healthz", system.healthz, name="healthz"),
    path("readyz", system.readyz, name="readyz"),
    path("metrics", system.metrics, name="metrics"),
    path("version", system.version, name="version"),
    path(".well-known/tidegate-config-keys", published_keys, name="config-keys"),
    path("api/v1/", include("console.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", docs.docs, name="api-docs"),
]
