"""Where readings come from. A source answers one question about one gate, or says it cannot.

The order of asking is the gate's own (`GateSpec.sources`). What agents report over OpAMP is never
hidden by another source: for a metric that both know, the worse of the two counts.

Tests: `tests/rollouts/analysis/sources`, `tests/evidence`.
"""

from __future__ import annotations

from typing import Protocol

from rollouts.analysis.readings import Reading
from rollouts.analysis.scene import Scene
from rollouts.analysis.specs import GateSpec
from rollouts.plans.metrics import Source


class MetricSource(Protocol):
    """One source. `measure` makes no writes, keeps its own time limits and raises nothing for an
    outside world that is away, slow or wrong: that is an `error` reading."""

    name: Source

    def measures(self, spec: GateSpec) -> bool:
        """Tell whether this source could ever answer the gate."""
        ...

    def measure(self, spec: GateSpec, scene: Scene) -> Reading:
        """Answer for the scene's agents and time."""
        ...
