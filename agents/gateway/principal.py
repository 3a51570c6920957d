"""Who a connection speaks for (security.md 3.1, R13). Handlers never look at headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Proof(StrEnum):
    """How a principal was proven."""

    LOOPBACK = "loopback"
    TOKEN = "token"  # noqa: S105  the word, not a secret
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class Principal:
    """The proven identity behind a connection, immutable.

    A personal credential names one `agent_id`; a pool may bring any uid bound to it. `labels` are
    given to new agents. `not_after` is in seconds since 1970; 0 is for ever.
    """

    kind: Proof
    credential_id: str
    agent_id: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    scope: str = "agent"
    not_after: float = 0.0

    @property
    def name(self) -> str:
        """Return how sessions and events name it, e.g. "pool:12"."""
        return f"{self.kind.value}:{self.credential_id}" if self.credential_id else self.kind.value

    @property
    def binding(self) -> str:
        """Return what a new agent is bound to: nothing on loopback without enrolment."""
        return "" if self.kind is Proof.LOOPBACK else self.name


LOOPBACK = Principal(kind=Proof.LOOPBACK, credential_id="")
