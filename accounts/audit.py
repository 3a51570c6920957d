"""The one way to write an audit row: inside the transaction of the act (security.md R40)."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from console.lib import logs


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person (by session or token), the engine, or an agent.

    `token_name` is set when a person's API token acts; then approving is refused (R39).
    """

    name: str
    kind: AuditEvent.ActorKind
    user: User | None = None
    token_name: str = ""

    @classmethod
    def of(cls, user: User, token_name: str = "") -> Actor:
        """Return the actor for a person, or for one of their tokens."""
        kind = AuditEvent.ActorKind.TOKEN if token_name else AuditEvent.ActorKind.HUMAN
        name = f"{user.get_username()} (token {token_name})" if token_name else user.get_username()
        return cls(name=name, kind=kind, user=user, token_name=token_name)

    @classmethod
    def at_shell(cls, command: str) -> Actor:
        """Return the actor for a command of manage.py: whoever can run one can write the database,
        so nothing is refused; the name says who it was."""
        name = f"manage.py {command} ({getpass.getuser()})"
        return cls(name=name, kind=AuditEvent.ActorKind.SYSTEM)

    @property
    def is_system(self) -> bool:
        return self.kind == AuditEvent.ActorKind.SYSTEM


SYSTEM = Actor(name="system", kind=AuditEvent.ActorKind.SYSTEM)


def record(
    *,
    actor: Actor,
    act: str,
    object_kind: str,
    object_id: object,
    object_name: str = "",
    reason: str = "",
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
