"""The metrics a plan can name (spec section 6): unit, which way is bad, how they are compared.

A metric that is not here is the user's own and must bring its PromQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.lib.quantities import Unit


class Direction(StrEnum):
    """On which side of a threshold a value is a breach."""

    ABOVE = "above"
    BELOW = "below"


class Compare(StrEnum):
    """What a value is measured against (spec section 6)."""

    ABSOLUTE = "absolute"
    BEFORE = "before"
    CONTROL = "control"


class Source(StrEnum):
    """Where measurements come from, in the order they are asked."""

    PROMETHEUS = "prometheus"
    OWN_METRICS = "own_metrics"
    OPAMP = "opamp"


DEFAULT_SOURCES = (Source.PROMETHEUS, Source.OWN_METRICS, Source.OPAMP)


@dataclass(frozen=True, slots=True)
class MetricKind:
    """One metric we know ourselves. `comparisons` are those it can be given, its own one first."""

    unit: Unit
    direction: Direction = Direction.ABOVE
    comparisons: tuple[Compare, ...] = tuple(Compare)

    @property
    def compare(self) -> Compare:
        """What it is measured against when a plan does not say."""
        return self.comparisons[0]


_ALONE = (Compare.ABSOLUTE,)
METRICS = {
    "failure_rate": MetricKind(Unit.FRACTION),
    "error_count": MetricKind(Unit.COUNT, comparisons=_ALONE),
    "error_rate": MetricKind(Unit.ERRORS_PER_MIN, comparisons=_ALONE),
    "cpu_increase": MetricKind(Unit.FRACTION, comparisons=(Compare.BEFORE, Compare.CONTROL)),
    "memory_growth": MetricKind(Unit.BYTES_PER_MIN),
    "latency_p95": MetricKind(Unit.MS),
    "data_continuity": MetricKind(
        Unit.FRACTION, Direction.BELOW, (Compare.BEFORE, Compare.ABSOLUTE)
    ),
    "component_health": MetricKind(Unit.FRACTION, comparisons=_ALONE),
}
OWN_METRIC = MetricKind(Unit.NONE)
