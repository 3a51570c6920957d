"""How fast certificates are issued and offered (security.md R28). Pure.

Renewals that fall due begin with a first wave: a hundredth of what is due, at least one. Only when
so many have been proved in use does the rest follow. When more than a twentieth of the last hundred
failed, nothing more is offered until a person says so, but for what expires within a day: waiting
would take those agents away for certain. What agents ask for themselves is bounded by the rate and
by what is in flight alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from certs.rotation.facts import RotationRules

LAST = 100
# Under so many outcomes one failure says little.
_FEW = 20


@dataclass(frozen=True, slots=True)
class PaceFacts:
    """`due`: renewals that wait; `in_flight`: offered and not settled, to agents that are connected;
    `outcomes`: of the last offers, newest first, True is installed; `is_paused`: by the rule or a
    person, until a person resumes."""

    due: int
    in_flight: int
    outcomes: Sequence[bool]
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class OfferRoom:
    """Room for so many offers now: `requests` for what agents asked for and what is urgent,
    `renewals` for the others. `must_pause`: too many failed."""

    requests: int
    renewals: int
    must_pause: bool
    is_first_wave: bool


def pace(facts: PaceFacts, rules: RotationRules) -> OfferRoom:
    """Return how much may be offered now."""
    last = facts.outcomes[:LAST]
    proven = sum(last)
    failed = len(last) - proven
    must_pause = not facts.is_paused and failed > rules.most_failures * max(len(last), _FEW)
    room = max(0, rules.offers_in_flight - facts.in_flight)
    first = max(1, math.ceil(facts.due * rules.first_wave))
    is_first_wave = proven < min(first, LAST)
    renewals = max(0, min(room, first - facts.in_flight)) if is_first_wave else room
    if must_pause or facts.is_paused:
        renewals = 0
    return OfferRoom(room, renewals, must_pause, is_first_wave)


def issuances_in(seconds: float, rules: RotationRules) -> int:
    """Return how many certificates may be issued in a turn that comes each so many seconds."""
    return max(1, math.floor(rules.issuances_per_s * seconds))
