"""Addresses of pages, as answers carry them: absolute, from PUBLIC_URL (ui.md section 2)."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def page(path: str) -> str:
    """Return the absolute address of a page."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/{path.lstrip('/')}"


def shared(secret: str) -> str:
    """Return the address that the secret of a share link opens."""
    return page(reverse("shared", args=[secret]))
