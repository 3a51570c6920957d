"""The page behind a link: how one rollout went, to read without an account, and nothing else.

Takes no session and sets no cookie. Secrets in configs and in what anybody said are masked: its readers
may be more than those who may read configs.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from agents.opamp.redact import Redactor
from console.lib.secret_text import hide_secrets
from console.pages.configs import diff_rows
from console.pages.rollbacks.recovery import GOAL_S
from console.pages.rollouts.story import StoryRow, story_of
from console.pages.shares import limit
from rollouts.actions.share import opened
from rollouts.configs.diff import Diff, diff
from rollouts.models import ConfigVersion, Rollout, ShareLink

HEADERS = {
    "Cache-Control": "no-store, private",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what a link opens. Unknown, expired and revoked are one answer."""
    address = request.META.get("REMOTE_ADDR") or ""
    if limit.is_over(address):
        answer = _answer(request, "shares/closed.html", {"is_busy": True}, 429)
        answer["Retry-After"] = str(limit.WINDOW_S)
        return answer
    now = timezone.now()
    link = opened(secret, now)
    if link is None:
        limit.record_vain(address)
        return _answer(request, "shares/closed.html", {"is_busy": False}, 404)
    return _answer(request, "shares/shared.html", _context(link, now), 200)


def _context(link: ShareLink, now: datetime) -> dict[str, Any]:
    rollout = Rollout.objects.for_detail().get(pk=link.rollout_id)
    told = story_of(rollout, now)
    found = _changes(rollout)
    return {
        "link": link,
        "rollout": rollout,
        "story": replace(told, rows=[_masked(row) for row in told.rows]),
        "back": told.back,
        "goal_s": GOAL_S,
        "diff": found,
        "lines": list(diff_rows.unified(found, fold=True)) if found is not None else [],
        "is_shared": True,
    }


def _masked(row: StoryRow) -> StoryRow:
    """Take secrets out of a line, and its link: no other page is to be reached from here."""
    line = row.line
    return StoryRow(
        replace(
            line,
            text=hide_secrets(line.text),
            reason=hide_secrets(line.reason),
            evidence=[hide_secrets(sentence) for sentence in line.evidence],
        )
    )


def _changes(rollout: Rollout) -> Diff | None:
    """Return what the version changed, with secrets as marks: two that differ still look different."""
    if rollout.previous_version is None:
        return None
    key = hashlib.sha256(b"share:" + settings.SECRET_KEY.encode()).digest()
    redactor = Redactor(key)
    old, new = (redactor.redact(_text(v)) for v in (rollout.previous_version, rollout.version))
    return diff(old, new)


def _text(version: ConfigVersion) -> str:
    return bytes(version.body_ref.body).decode("utf-8", "replace")


def _answer(
    request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    answer = render(request, template, context, status=status)
    for name, value in HEADERS.items():
        answer[name] = value
    return answer
