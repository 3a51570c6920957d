"""The readings of a rollout's gates as charts and lists show them: read without what they do not show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from console.lib.texts import said
from console.pages.drawing.readings import Span
from rollouts.analysis.readings import Outcome
from rollouts.engine.facts import Level
from rollouts.models import Measurement, Phase, Rollout

NEWEST = 240  # of each gate, for its chart
FIELDS = (
    *("gate", "metric", "at", "outcome", "value", "agents", "breached", "level", "source", "note"),
    *("phase__name", "inputs__low", "inputs__high", "inputs__compare", "inputs__control"),
)


@dataclass(frozen=True, slots=True)
class GateReading:
    """One reading. `control` is what agents that do not change showed then, over `control_agents` of
    them; `compare` what the value was compared with ("" where nobody said)."""

    gate: str
    metric: str
    phase: str
    at: datetime
    outcome: str
    value: float | None
    low: float | None
    high: float | None
    agents: int
    is_bad: bool
    level: str
    source: str
    note: str
    compare: str = ""
    control: Span | None = None
    control_agents: int = 0

    @property
    def span(self) -> Span | None:
        """The value with its interval; a condition is 1 while it is true; None: no data."""
        if self.outcome != Outcome.VALUE:
            return None
        if self.value is None:
            return Span(1.0 if self.is_bad else 0.0)
        return Span(self.value, self.low, self.high)


def by_gate(
    rollout: Rollout,
    *,
    phase: Phase | None = None,
    until: datetime | None = None,
    gate: str = "",
) -> dict[str, list[GateReading]]:
    """Return the newest readings of each gate (or of one), oldest first: one query for all."""
    found = Measurement.objects.filter(rollout=rollout)
    if gate:
        found = found.filter(gate=gate)
    if phase is not None:
        found = found.filter(phase=phase)
    if until is not None:
        found = found.filter(at__lte=until)
    newest = Window(RowNumber(), partition_by=[F("gate")], order_by=F("at").desc())
    rows = found.annotate(_newest=newest).filter(_newest__lte=NEWEST).order_by("at")
    readings: dict[str, list[GateReading]] = {}
    for reading in of_rows(rows):
        readings.setdefault(reading.gate, []).append(reading)
    return readings


def of_rows(rows: QuerySet[Measurement]) -> Iterable[GateReading]:
    """Yield the readings of rows, in their order."""
    return map(_reading, rows.values(*FIELDS))


def _reading(row: Mapping[str, Any]) -> GateReading:
    control: Mapping[str, Any] = row["inputs__control"] or {}
    value = control.get("value")
    return GateReading(
        gate=row["gate"],
        metric=row["metric"],
        phase=row["phase__name"] or "",
        at=row["at"],
        outcome=row["outcome"],
        value=row["value"],
        low=row["inputs__low"],
        high=row["inputs__high"],
        agents=row["agents"],
        is_bad=bool(row["breached"]) or row["level"] == Level.CRITICAL,
        level=row["level"],
        source=row["source"],
        note=said(row["note"]),
        compare=row["inputs__compare"] or "",
        control=None if value is None else Span(value, control.get("low"), control.get("high")),
        control_agents=int(control.get("agents") or 0),
    )
