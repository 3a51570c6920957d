"""Whether agents can reach where they would be sent: proved by a connection of our own (R26).

An offer of a dead endpoint, or of one whose certificate the offered CAs do not verify, takes an agent
away for ever (interop.md section 2). So nothing is offered before this connection has succeeded; an
answer holds for some minutes.
"""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from certs.rotation.offer import Entrance
from console.lib.texts import Text, text

HOLDS_S, BAD_HOLDS_S = 300.0, 15.0
TIMEOUT_S = 5.0
_proved: dict[Entrance, tuple[float, Text | str]] = {}


def usual_entrance() -> Entrance:
    """Return where agents connect by the settings. Raises OSError when the bundle cannot be read."""
    path = settings.OPAMP_SERVER_CA_FILE
    return Entrance(settings.OPAMP_URL, Path(path).read_text() if path else "")


def why_not(entrance: Entrance) -> Text | str:
    """Return why agents must not be sent there, "" when a connection has been made. Takes up to 5 s;
    never called inside a transaction."""
    if not entrance.is_tls:
        return text("cert.no_tls_entrance", url=entrance.url or "-")
    known = _proved.get(entrance)
    if known is not None and time.monotonic() < known[0]:
        return known[1]
    why = _try(entrance)
    _proved[entrance] = (time.monotonic() + (BAD_HOLDS_S if why else HOLDS_S), why)
    return why


def forget_proofs() -> None:
    """Connect anew the next time."""
    _proved.clear()


def _try(entrance: Entrance) -> Text | str:
    parts = urlsplit(entrance.url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        context = ssl.create_default_context(cadata=entrance.server_bundle_pem or None)
        with (
            socket.create_connection((host, port), timeout=TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except (OSError, ValueError) as error:
        return text("cert.entrance_unproved", url=entrance.url, why=str(error))
