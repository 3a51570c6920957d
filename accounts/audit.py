"""The one way to write an audit row: inside the transaction of the act (security.md R40)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from console.lib import logs
from console.lib.texts import Text


def record(
    *,
    actor: Actor,
    act: str,
    object_kind: str,
    object_id: object,
    object_name: str = "",
    reason: Text | str = "",
    details: dict[str, object] | None = None,
    at: datetime | None = None,
) -> AuditEvent:
    """Write one audit row. Raises when called outside a transaction: the act and its row must
    stand or fall together."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record must run in the transaction of the act it records")
    address = logs.current("address")
    return AuditEvent.objects.create(
        at=at or timezone.now(),
        actor_kind=actor.kind,
        actor=actor.user,
        actor_name=actor.name,
        act=act,
        object_kind=object_kind,
        object_id=str(object_id),
        object_name=object_name,
        reason=reason,
        details=details or {},
        request_id=str(logs.current("request_id") or ""),
        address=str(address) if address else None,
    )
