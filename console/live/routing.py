"""The one WebSocket of the console; the page lists its topics (`?t=rollout:42&t=fleet`)."""

from __future__ import annotations

from django.urls import URLPattern, path

from console.live.consumers import ConsoleConsumer

PATH = "ws/console/"
websocket_urlpatterns: list[URLPattern] = [path(PATH, ConsoleConsumer.as_asgi())]
