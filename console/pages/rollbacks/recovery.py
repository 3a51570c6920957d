"""How a rollback went: durations and the recovery curve, from the agents' own confirmations. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

GOAL_S = 30.0  # decision to 99 % of online agents confirmed (spec section 5)
GOAL_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds since the decision, None when it has not come to that; shares are of those online."""

    steps: list[tuple[float, float]]
    online: int
    confirmed: int
    half_s: float | None
    goal_s: float | None
    last_s: float | None
    end_s: float


def recovery(
    decided_at: datetime, confirmed_at: Sequence[datetime], online: int, now: datetime | None
) -> Recovery:
    """Return the curve for `online` agents that could come back.

    `now` ends the curve while the rollback still runs; None means that it is over.
    """
    seconds = sorted(max(0.0, (at - decided_at).total_seconds()) for at in confirmed_at)
    online = max(online, len(seconds))
    steps: list[tuple[float, float]] = []
    for number, at_s in enumerate(seconds, 1):
        share = number / online
        if steps and steps[-1][0] == at_s:
            steps[-1] = (at_s, share)
        else:
            steps.append((at_s, share))
    last = seconds[-1] if seconds else None
    running = (now - decided_at).total_seconds() if now is not None else 0.0
    return Recovery(
        steps=steps,
        online=online,
        confirmed=len(seconds),
        half_s=_reached(seconds, online, 0.5),
        goal_s=_reached(seconds, online, GOAL_SHARE),
        last_s=last if len(seconds) == online else None,
        end_s=_round_up(max(last or 0.0, running, GOAL_S)),
    )


def _reached(seconds: Sequence[float], online: int, share: float) -> float | None:
    """Return when this share of the online agents was back."""
    needed = math.ceil(online * share - 1e-9)
    return seconds[needed - 1] if 0 < needed <= len(seconds) else None


def _round_up(seconds: float) -> float:
    """Round the end of the axis up to a number with a short name; the goal stands well inside it."""
    for step in (36, 50, 60, 120, 300, 600, 1200, 1800, 3600):
        if seconds <= step:
            return float(step)
    return math.ceil(seconds / 3600) * 3600.0


def ticks(end_s: float) -> list[float]:
    """Return the marks of the time axis, from nought to the end."""
    parts = 6 if end_s % 6 == 0 and end_s < 60 else 5
    return [end_s * i / parts for i in range(parts + 1)]
