"""Who acts: named in every act, audit row and event."""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from accounts.models import AuditEvent, User
from console.lib.texts import Text, text


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


# Its name is a code, for rows and scripts; pages say "policy" in the reader's language.
SYSTEM = Actor(name="system", kind=AuditEvent.ActorKind.SYSTEM)


def named(name: str) -> Text | str:
    """Return who a row names, as a parameter of a sentence: a name, or the policy where none acted."""
    return text("who.policy") if name in ("", SYSTEM.name) else name
