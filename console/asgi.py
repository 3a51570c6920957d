"""The console as an ASGI application: pages and REST over HTTP, live updates over WebSocket.

uvicorn console.asgi:application
"""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
http = get_asgi_application()

# The routes import models, so they come after Django is set up.
from console.asgi_lifespan import lifespan  # noqa: E402
from console.asgi_limits import BodyLimit  # noqa: E402
from console.live.door import LiveDoor  # noqa: E402
from console.live.routing import PATH, websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(http, settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
        "websocket": LiveDoor(
            f"/{PATH}",
            AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
        ),
        "lifespan": lifespan,
    }
)
