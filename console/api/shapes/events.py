from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import OneOf, said


class _Line(TypedDict):
    seq: int
    at: datetime
    actor: str
    actor_kind: str
    act: str
    phase: Annotated[str, said("or empty")]
    reason: str
    inputs: dict[str, Any]


_Ends = TypedDict(  # "from" is a word of Python
    "_Ends", {"from": Annotated[str, said("state, or empty")], "to": str}
)


class Event(_Line, _Ends):
    """One immutable line of a timeline."""


class EventList(TypedDict):
    events: list[Event]
    next: str | None


class Measurement(TypedDict):
    """One reading of one gate."""

    id: int
    at: datetime
    phase: str | None
    gate: Annotated[str, said('e.g. "criterion:failure_rate"')]
    metric: str
    outcome: Annotated[str, OneOf(words.MEASUREMENT_OUTCOMES)]
    value: float | None
    agents: int
    samples: int
    breached: bool | None
    level: str
    inputs: dict[str, Any]
    note: str
    source: str


class MeasurementList(TypedDict):
    measurements: list[Measurement]
    next: str | None
