"""The address of a link, as it is sent to people: with the name that the outside knows us by."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def address_of(secret: str) -> str:
    """Return the whole address that a secret opens."""
    origin = str(settings.PUBLIC_URL).rstrip("/")
    return origin + reverse("shared", args=[secret])
