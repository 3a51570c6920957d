"""One reading of one gate, as a source answers it and as measurements keep it. Pure.

The type has no way to say "no data, so fine": a value is there only with outcome `value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from console.lib.texts import Text, from_json
from rollouts.analysis.estimates import Estimate
from rollouts.plans.metrics import Compare

# What of a measurement's row makes a reading again (`stored`).
STORED_FIELDS = (
    "gate",
    "at",
    "outcome",
    "value",
    "agents",
    "samples",
    "breached",
    "source",
    "note",
    "inputs__low",
    "inputs__high",
    "inputs__query",
)


class Outcome(StrEnum):
    """How asking went. `no_data`: nothing is known; `stale`: only old data; `error`: no answer."""

    VALUE = "value"
    NO_DATA = "no_data"
    STALE = "stale"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source said of one gate at one time.

    `value` is in the metric's base unit; `low` and `high` bound it (5 % beyond each) where it is an estimate
    from samples, and are None where it is a count. `agents` and `samples` say how many stand behind
    it. `breached` is the answer of a trigger's condition. `inputs` keeps the parts, as plain JSON.
    """

    outcome: Outcome
    value: float | None = None
    low: float | None = None
    high: float | None = None
    agents: int = 0
    samples: int = 0
    source: str = ""
    note: Text | str = ""
    query: Text | str = ""
    breached: bool | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def has_value(self) -> bool:
        """Whether something was learned: a value, or the yes or no of a trigger's condition."""
        return self.outcome is Outcome.VALUE


def silent(outcome: Outcome, source: str, note: Text | str, query: Text | str = "") -> Reading:
    """Return a reading that learned nothing, with the reason a person reads."""
    return Reading(outcome=outcome, source=source, note=note, query=query)


def estimated(
    found: Estimate,
    *,
    source: str,
    note: Text | str,
    query: Text | str,
    compare: Compare,
    control: Estimate | None = None,
) -> Reading:
    """Return a reading of what was estimated from agents' numbers; `control` is what those that do
    not change showed."""
    beside = {} if control is None else {"control": control.kept()}
    return Reading(
        outcome=Outcome.VALUE,
        value=found.value,
        low=found.low,
        high=found.high,
        agents=found.agents,
        samples=found.samples,
        source=source,
        note=note,
        query=query,
        inputs={"compare": compare.value, **beside},
    )


def stored(row: Mapping[str, Any]) -> Reading:
    """Return the reading that a row of measurements keeps, of its `STORED_FIELDS`."""
    return Reading(
        outcome=Outcome(row["outcome"]),
        value=row["value"],
        low=row["inputs__low"],
        high=row["inputs__high"],
        agents=row["agents"],
        samples=row["samples"],
        source=row["source"],
        note=row["note"],
        query=from_json(row["inputs__query"] or ""),
        breached=row["breached"],
        at=row["at"],
    )
