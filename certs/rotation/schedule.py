"""When a certificate is renewed (security.md R27). Pure.

Dates come from the certificate as it was issued, not from what was asked for. An issuer that
shortens lifetimes makes neither a loop nor a lock-out: what is far too short is refused before it
is offered, and between two renewals of an agent lies a least time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from certs.rotation.facts import RotationRules
from console.lib.texts import SaidError

_JITTER = 0.25
_LEAST_BETWEEN = timedelta(hours=12)
_SHORT = timedelta(hours=24)


class BadRules(SaidError):
    """The rules contradict each other; the text says which value is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate holds."""

    not_before: datetime
    not_after: datetime

    @property
    def lifetime(self) -> timedelta:
        return self.not_after - self.not_before


def check_rules(rules: RotationRules) -> None:
    """Raise BadRules where the threshold would renew a certificate as soon as it is issued."""
    if rules.renewal_threshold >= rules.lifetime:
        raise BadRules(
            "issuing.bad_threshold",
            threshold=_hours(rules.renewal_threshold),
            lifetime=_hours(rules.lifetime),
            right=_hours(rules.lifetime / 4),
        )


def renewal_at(validity: Validity, uid: UUID, rules: RotationRules) -> datetime:
    """Return when the certificate of an agent is due: in the first quarter of its last third, or of
    the threshold where that is less; always at the same point for the same agent."""
    window = renewal_window(validity, rules)
    due = validity.not_after - window + window * _JITTER * _share(uid)
    return max(due, validity.not_before + least_between(validity, rules))


def renewal_window(validity: Validity, rules: RotationRules) -> timedelta:
    """Return how long before its end a certificate is due for renewal, before jitter."""
    return min(rules.renewal_threshold, validity.lifetime / 3)


def least_between(validity: Validity, rules: RotationRules) -> timedelta:
    """Return the least time between two renewals of one agent: 12 h, less where certificates are
    meant to be that short, and a tenth of the lifetime."""
    return max(validity.lifetime / 10, min(_LEAST_BETWEEN, rules.lifetime / 4))


def is_far_too_short(validity: Validity, now: datetime, rules: RotationRules) -> bool:
    """Whether an issuer gave so much less than asked that renewals would never end."""
    given = validity.not_after - now
    return given < rules.lifetime / 2 and given < _SHORT


def _share(uid: UUID) -> float:
    """Return a stable number from 0 to 1 for an agent."""
    return int.from_bytes(hashlib.sha256(b"renewal:" + uid.bytes).digest()[:8], "big") / 2**64


def _hours(duration: timedelta) -> str:
    return f"{duration.total_seconds() / 3600:g}"
