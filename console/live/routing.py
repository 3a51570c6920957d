"""WebSocket routes of the console, joined to Django's HTTP application in `console.asgi`."""

from __future__ import annotations

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
