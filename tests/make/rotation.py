"""Certificates of agents as rows, as the loop leaves them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from agents.models import Agent
from certs.models import Certificate
from tests.make.agents import make_agent


def make_certificate(state: str = "installed", days: float = 20, **fields: object) -> Certificate:
    """Return a certificate of an agent of its own, as the loop would have left it."""
    now = timezone.now()
    issued = (
        {} if state == "pending" else {"not_before": now, "not_after": now + timedelta(days=days)}
    )
    was_used = {"installed_at": now} if state in {"installed", "superseded"} else {}
    known = {
        "agent": make_agent(f"edge-{Agent.objects.count()}"),
        "state": state,
        "origin": "request",
        "since": now,
        "created_at": now,
        "created_by": "system",
        "fingerprint": "" if state == "pending" else f"{Certificate.objects.count():064x}",
    }
    return Certificate.objects.create(**{**known, **issued, **was_used, **fields})
