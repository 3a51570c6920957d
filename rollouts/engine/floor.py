"""The floor under every phase: how many agents may fail, whatever its criteria say (spec section 4).

Judged on the counts of targets, so it needs no reading, no source and no window: what went wrong
for good is known at once. The phase that is watched is judged by itself; all begun phases together are
judged too, so that agents of an earlier phase that fail later are not forgotten. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from console.lib.texts import Text, text
from rollouts.engine.facts import Counts, GateFacts, GateKind, GuardAction, Level, Verdict
from rollouts.engine.tally import agents, failures, total

FLOOR = "floor:failures"


def tolerated(share: float, expected: int) -> int:
    """Return how many of so many agents may fail: the share, rounded down; of a single one, none."""
    if expected <= 1:
        return 0
    return math.floor(round(share * expected, 6))


def is_over(counts: Counts, share: float) -> bool:
    """Whether too many have failed, or nobody is left who could still run the version."""
    expected = counts.expected
    if not counts.bad:
        return False
    return counts.bad > tolerated(share, expected) or counts.refused + counts.fell_back >= expected


def floor_gate(
    own: Counts, begun: Sequence[Counts], share: float, at: datetime, waived_by: str | None = None
) -> GateFacts:
    """Return the floor as a gate. `own` are the counts of the watched phase, `begun` those of every
    phase that has begun, `share` is its `tolerated_failures`."""
    everyone = total(list(begun))
    counts = everyone if is_over(everyone, share) and not is_over(own, share) else own
    over = is_over(counts, share)
    expected, bad = counts.expected, counts.bad
    verdict = Verdict.PASS if counts.settled else Verdict.INSUFFICIENT
    return GateFacts(
        gate=FLOOR,
        kind=GateKind.FLOOR,
        metric="tolerated_failures",
        title=text("title.failed_agents"),
        verdict=Verdict.FAIL if over else verdict,
        unit="fraction",
        operator="<=",
        limit=0.0 if expected <= 1 else share,
        value=bad / expected if expected else 0.0,
        level=Level.CRITICAL if over else Level.NONE,
        action=GuardAction.ROLLBACK,
        firing=over,
        readings=1,
        agents=counts.settled,
        samples=counts.settled,
        source="opamp",
        at=at,
        waived_by=waived_by,
        sentence=_sentence(counts, share),
    )


def _sentence(counts: Counts, share: float) -> Text:
    expected, may = agents(counts.expected), tolerated(share, counts.expected)
    if counts.bad:
        return text(
            "floor.failed", bad=counts.bad, expected=expected, failures=failures(counts), may=may
        )
    if counts.settled:
        return text("floor.none_failed", expected=expected, may=may)
    return text("floor.none_answered", expected=expected, may=may)
