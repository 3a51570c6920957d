"""What one agent's own metrics did in a window of time: differences of counters, without restarts.

Pure. Counters are cumulative since the agent's start; a pair of points across a restart (another
start, or a value that fell) is left out with its time, so that neither a reset nor the blip of a
restart is read as a change. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from agents.own_metrics import LATENCY_BOUNDS_MS, SIGNALS

BUCKETS = len(LATENCY_BOUNDS_MS) + 1
_PATIENT_POINTS = 4
Flow = Sequence[float | None]
_NONE: Flow = (None,) * len(SIGNALS)


@dataclass(frozen=True, slots=True)
class Point:
    """One row of an agent's series. `row` is its key where it is kept; of stored ones only the first
    and the last of a life have their flows and latency, for increases are taken between those."""

    at: float
    started_at: float | None = None
    cpu_s: float | None = None
    rss_bytes: float | None = None
    queue_items: float | None = None
    error_logs: float | None = None
    received: Flow = _NONE
    refused: Flow = _NONE
    sent: Flow = _NONE
    failed: Flow = _NONE
    latency_counts: Sequence[float] | None = None
    row: int | None = None

    def is_same_life(self, before: Point) -> bool:
        """Tell whether the agent did not restart since `before`."""
        if self.started_at is not None and before.started_at is not None:
            return abs(self.started_at - before.started_at) < 1.0
        if self.cpu_s is not None and before.cpu_s is not None:
            return self.cpu_s >= before.cpu_s
        return True


@dataclass(slots=True)
class Totals:
    """Increases over the pairs of points that count. `seconds` is the time they cover."""

    pairs: int = 0
    seconds: float = 0.0
    cpu_s: float | None = None
    errors: float | None = None
    queue_growth: float = 0.0
    received: list[float | None] = field(default_factory=lambda: [None] * len(SIGNALS))
    refused: list[float | None] = field(default_factory=lambda: [None] * len(SIGNALS))
    sent: list[float | None] = field(default_factory=lambda: [None] * len(SIGNALS))
    failed: list[float | None] = field(default_factory=lambda: [None] * len(SIGNALS))
    latency: list[float] | None = None


@dataclass(frozen=True)
class AgentSeries:
    """One agent's points before the change and after its warm-up (from `after_s` on), oldest first."""

    agent_id: int
    before: tuple[Point, ...]
    after: tuple[Point, ...]
    stratum: str = ""
    after_s: float = 0.0

    @cached_property
    def before_totals(self) -> Totals:
        """Increases before the change."""
        return totals(self.before)

    @cached_property
    def after_totals(self) -> Totals:
        """Increases after the change."""
        return totals(self.after)

    def should_have_sent(self, now_s: float) -> bool:
        """Tell whether, at its pace before, several points after the change are due by now."""
        if len(self.before) < 2:
            return False
        pace_s = (self.before[-1].at - self.before[0].at) / (len(self.before) - 1)
        return now_s - self.after_s > _PATIENT_POINTS * pace_s

    def settled(self, seconds: float) -> AgentSeries:
        """Return the same agent without what came in the first seconds after its warm-up."""
        since = self.after_s + seconds
        return replace(self, after=tuple(point for point in self.after if point.at >= since))


def between(points: Sequence[Point], since: float, until: float) -> tuple[Point, ...]:
    """Return the points of a window, both ends included."""
    return tuple(point for point in points if since <= point.at <= until)


def totals(points: Sequence[Point]) -> Totals:
    """Return the increases over each life of the agent: from its first point to its last."""
    found = Totals()
    for life in lives(points):
        first, second = life[0], life[-1]
        if second.at <= first.at:
            continue
        found.pairs += len(life) - 1
        found.seconds += second.at - first.at
        found.cpu_s = _plus(found.cpu_s, first.cpu_s, second.cpu_s)
        found.errors = _plus(found.errors, first.error_logs, second.error_logs)
        _add_flows(found, first, second)
        _add_latency(found, first, second)
        if first.queue_items is not None and second.queue_items is not None:
            found.queue_growth += second.queue_items - first.queue_items
    return found


def lives(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Yield the points of each life between restarts."""
    begun = 0
    for place in range(1, len(points)):
        if not points[place].is_same_life(points[place - 1]):
            yield points[begun:place]
            begun = place
    if points:
        yield points[begun:]


def _plus(total: float | None, first: float | None, second: float | None) -> float | None:
    """Add the increase of one counter; a first sight inside one life began at zero."""
    if second is None:
        return total
    increase = second - (first or 0.0)
    return (total or 0.0) + (second if increase < 0 else increase)


def _add_flows(found: Totals, first: Point, second: Point) -> None:
    for total, old, new in (
        (found.received, first.received, second.received),
        (found.refused, first.refused, second.refused),
        (found.sent, first.sent, second.sent),
        (found.failed, first.failed, second.failed),
    ):
        for signal in range(len(SIGNALS)):
            total[signal] = _plus(total[signal], old[signal], new[signal])


def _add_latency(found: Totals, first: Point, second: Point) -> None:
    if second.latency_counts is None:
        return
    old = first.latency_counts or [0.0] * BUCKETS
    increase = [new - was for was, new in zip(old, second.latency_counts, strict=True)]
    if any(value < 0 for value in increase):
        increase = list(second.latency_counts)
    if found.latency is None:
        found.latency = [0.0] * BUCKETS
    found.latency = [have + more for have, more in zip(found.latency, increase, strict=True)]
