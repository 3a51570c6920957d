"""Who of a selection can be in a rollout, in what order, and who cannot and why: one SQL query, and one
for names where somebody is left out or away (`rollouts.sql.eligible`).

The order is that of `engine.membership.order_key`, computed by PostgreSQL because a preview over
100,000 agents must take < 300 ms; `engine.membership` spreads it over a label if asked. Agents that
are connected come first, those that are away after them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.selectors.grammar import parse
from console.lib.texts import text
from rollouts.engine.membership import Lineup, by_stratum, spread_order
from rollouts.selectors import selector_q
from rollouts.sql.eligible import EligibilityQuery, Reason, in_order, judged, samples

REASON_TEXT = {
    Reason.CANNOT_ACCEPT: text("excluded.cannot_accept"),
    Reason.WEDGED: text("excluded.wedged"),
    Reason.QUARANTINED: text("excluded.quarantined"),
    Reason.ALREADY: text("excluded.already"),
    Reason.BUSY: text("excluded.busy"),
    Reason.OFFLINE: text("excluded.offline"),
    Reason.NOT_FAILED: text("excluded.not_failed"),
    Reason.AWAY: text("excluded.away"),
}


@dataclass(frozen=True, slots=True)
class Excluded:
    """Matched agents that are left out for one reason, with up to ten names."""

    reason: Reason
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Eligible agents alike in what preflight asks: version, components, what they run, connection.

    `kept`: what it runs is quarantined for the agent itself, so it is no way back.
    """

    version: str
    components: str
    running: str
    online: bool
    healthy: bool | None
    reports: bool
    kept: bool
    count: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer. `order` are eligible ids in rollout order; `strata` gives each its value of the
    spread label ("" when it has none), and is empty when no agent has that label. `parts` has the
    order narrowed by each phase selector, "" is the whole. `away` are samples of who is away."""

    matched: int
    order: list[int]
    away: tuple[str, ...]
    strata: Mapping[int, str]
    excluded: tuple[Excluded, ...]
    groups: tuple[Group, ...]
    parts: Mapping[str, Lineup]


def select(question: EligibilityQuery, phase_selectors: frozenset[str], now: datetime) -> Selection:
    """Return the eligible agents in order, with what preflight needs to know of them."""
    base = selector_q(parse(question.selector))
    whole = judged(question, base, now)
    eligible, strata, present, alike = in_order(question, whole, with_groups=True)
    order, strata_of = _spread(eligible or [], strata, present)
    parts = {"": Lineup(order, present)}
    for selector in phase_selectors - {""}:
        narrow = judged(question, base & selector_q(parse(selector)), now)
        part, strata, present_there, _ = in_order(question, narrow)
        parts[selector] = Lineup(_spread(part or [], strata, present_there)[0], present_there)
    groups, left_out = _split(alike or [])
    names = samples(whole) if left_out or present < len(order) else {}
    return Selection(
        len(order) + sum(left_out.values()),
        order,
        names.get(Reason.AWAY, ()),
        strata_of,
        tuple(Excluded(r, left_out[r], names.get(r, ())) for r in Reason if left_out[r]),
        groups,
        parts,
    )


def _split(alike: list[dict[str, Any]]) -> tuple[tuple[Group, ...], Counter[Reason]]:
    """Return the groups of those who are eligible, and how many of the others there are."""
    groups, left_out = [], Counter[Reason]()
    for facts in alike:
        reason = facts.pop("reason")
        if reason:
            left_out[Reason(reason)] += facts["count"]
        else:
            groups.append(Group(**facts))
    return tuple(groups), left_out


def _spread(
    order: list[int], strata: list[str] | None, present: int
) -> tuple[list[int], dict[int, str]]:
    """Return the order spread over the label, and the stratum of each; as it is when none has it.

    The first `present` are connected and stay before the others.
    """
    if strata is None or not any(strata):
        return order, {}
    spread: list[int] = []
    for part in (slice(present), slice(present, None)):
        spread += spread_order(by_stratum(order[part], strata[part]))
    return spread, dict(zip(order, strata, strict=True))
