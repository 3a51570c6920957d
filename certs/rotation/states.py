"""States of a certificate and the steps between them (security.md section 4). Pure; the one source
for `certs/apply.py`, the constraint of the table and docs/certificates.md
(`python -m certs.rotation.states` prints it)."""

from __future__ import annotations

from console.lib import transitions
from console.lib.transitions import States, Transition, table_of


class CertificateState(States):
    PENDING = "pending"
    ISSUED = "issued"
    OFFERED = "offered"
    APPLYING = "applying"
    INSTALLED = "installed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CANCELLED = "cancelled"


class Mode(States):
    """Where the key of a certificate is: with the agent, or made here and sent with it."""

    CSR = "csr"
    PUSH = "push"


class Origin(States):
    """Why a certificate is made."""

    REQUEST = "request"
    RENEWAL = "renewal"
    RETRY = "retry"
    REVERTED = "reverted"
    OPERATOR = "operator"


_S = CertificateState
# On its way to the agent: at most one of these for each agent.
OPEN_STATES = frozenset({_S.PENDING, _S.ISSUED, _S.OFFERED, _S.APPLYING})
FLYING_STATES = frozenset({_S.OFFERED, _S.APPLYING})
# Did not arrive: the agent may use it after all.
MISSED_STATES = frozenset({_S.FAILED, _S.ROLLED_BACK})
# What an agent may connect with.
ISSUED_STATES = (
    _S.ISSUED,
    _S.OFFERED,
    _S.APPLYING,
    _S.INSTALLED,
    *sorted(MISSED_STATES),
    _S.SUPERSEDED,
)
FINAL_STATES = frozenset({_S.EXPIRED, _S.REVOKED, _S.CANCELLED})

TRANSITIONS = (
    Transition(
        "issue", (_S.PENDING,), _S.ISSUED, "the issuer answered, and the answer was checked"
    ),
    Transition("refuse", (_S.PENDING,), _S.FAILED, "refused, or the issuer gave none"),
    Transition(
        "cancel",
        (_S.PENDING, _S.ISSUED, _S.OFFERED, _S.APPLYING),
        _S.CANCELLED,
        "no longer wanted: a newer request, a person, or the one before arrived after all",
    ),
    Transition("offer", (_S.ISSUED,), _S.OFFERED, "it is part of what the agent should use"),
    Transition(
        "take",
        (_S.OFFERED,),
        _S.APPLYING,
        "the agent says that it tries it, or went away after it was sent",
    ),
    Transition(
        "prove",
        (_S.OFFERED, _S.APPLYING, *sorted(MISSED_STATES)),
        _S.INSTALLED,
        "a connection of the agent was made with it; nothing else is proof",
    ),
    Transition(
        "fail",
        (_S.ISSUED, _S.OFFERED, _S.APPLYING),
        _S.FAILED,
        "the agent says that it failed, or did not use it in time",
    ),
    Transition(
        "roll_back", (_S.APPLYING,), _S.ROLLED_BACK, "the agent came back with what it had before"
    ),
    Transition("supersede", (_S.INSTALLED,), _S.SUPERSEDED, "its successor is installed"),
    Transition(
        "expire",
        (_S.INSTALLED, _S.SUPERSEDED, *sorted(MISSED_STATES)),
        _S.EXPIRED,
        "its time is over",
    ),
    Transition(
        "revoke", ISSUED_STATES, _S.REVOKED, "by a person, or a day after its successor took over"
    ),
)
CERTIFICATE_TABLE = table_of(TRANSITIONS)


def as_markdown() -> str:
    """Return the table as docs/certificates.md shows it."""
    return transitions.as_markdown("certificate", TRANSITIONS)


if __name__ == "__main__":
    print(as_markdown())  # noqa: T201
