"""Sessions in the database; a key that we never gave out is looked up nowhere.

Cookies are what callers say: one of them with a NUL in it would otherwise reach PostgreSQL, which
refuses such text, and the mistake of a caller would look like a fault of ours.
"""

from __future__ import annotations

import re

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(DatabaseSessions):
    """`SESSION_ENGINE`: Django's own, but for keys that cannot be any."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None
