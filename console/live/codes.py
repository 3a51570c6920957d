"""Why a live feed ends. The browser reconnects by itself only after 1006, 1011, 1012 and 1013
(libraries.md section 3), so a feed is never ended with 1000 or 1001."""

from __future__ import annotations

from enum import IntEnum


class Close(IntEnum):
    """Close codes of ui.md section 6."""

    RESTART = 1012
    SIGNED_OUT = 4401
    DENIED = 4403
