"""The redactor of this installation: its marks are the same in every process (security.md R45)."""

from __future__ import annotations

import hashlib

from django.conf import settings

from agents.opamp.redact import Redactor


def own_redactor() -> Redactor:
    """Return a redactor, to be used by one thread at a time."""
    return Redactor(hashlib.sha256(b"redact:" + settings.SECRET_KEY.encode()).digest())
