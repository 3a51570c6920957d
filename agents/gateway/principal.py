"""Who a connection speaks for (security.md 3.1, R13). Handlers never look at headers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from agents.opamp.uids import as_text

MAX_BINDING = 64


class Proof(StrEnum):
    """How a principal was proven."""

    LOOPBACK = "loopback"
    TOKEN = "token"  # noqa: S105  the word, not a secret
    POOL = "pool"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Principal:
    """The proven identity behind a connection, immutable.

    A personal credential names one `agent_id`, or by the rule of an authority the `uid` (16 bytes) of
    one, who may be new; a pool may bring any uid bound to it. `labels` are given to new agents.
    `not_after` is in seconds since 1970; 0 is for ever. A certificate has its own
    `fingerprint` and that of the `authority` that vouches for it (hex), and by a rule on names its
    `holder`: certificates of one holder follow each other and mean the same agents. `beside` names a
    token that was shown with it.
    """

    kind: Proof
    credential_id: str
    agent_id: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    scope: str = "agent"
    not_after: float = 0.0
    uid: bytes = b""
    holder: str = ""
    fingerprint: str = ""
    authority: str = ""
    beside: str = ""

    @property
    def name(self) -> str:
        """Return how sessions and events name it, e.g. "pool:12"."""
        return f"{self.kind.value}:{self.credential_id}" if self.credential_id else self.kind.value

    @property
    def binding(self) -> str:
        """Return what a new agent is bound to: nothing on loopback without enrolment, and with a
        certificate what its successors say as well."""
        if self.kind is Proof.LOOPBACK:
            return ""
        if self.uid:
            return f"uid:{as_text(self.uid)}"
        return _fitting(f"name:{self.holder}") if self.holder else self.name


def _fitting(binding: str) -> str:
    """Return it as it fits the column, still its own."""
    if len(binding) <= MAX_BINDING:
        return binding
    digest = hashlib.sha256(binding.encode()).hexdigest()[:16]
    return f"{binding[: MAX_BINDING - 17]}~{digest}"


LOOPBACK = Principal(kind=Proof.LOOPBACK, credential_id="")
