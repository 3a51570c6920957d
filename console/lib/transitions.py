"""Tables of transitions: which act leads from which states to which. Pure; `rollouts.engine.states` and
`agents.deliveries` hold the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class States(StrEnum):
    """The states of one kind of row."""

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return (value, words) pairs for model fields and pages."""
        return [(state.value, state.value.replace("_", " ").capitalize()) for state in cls]


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step: the act people and the timeline know it by, and what it means."""

    act: str
    sources: tuple[str, ...]
    to: str
    meaning: str


class NotAllowed(ValueError):
    """A transition that the table does not have: a fault in the caller, never a user's error."""


def table_of(transitions: Iterable[Transition]) -> dict[tuple[str, str], str]:
    """Return (act, state) to the state that follows."""
    return {(t.act, source): t.to for t in transitions for source in t.sources}


def next_state(table: Mapping[tuple[str, str], str], act: str, state: str) -> str:
    """Return the state that `act` leads to. Raises NotAllowed when the table has no such step."""
    try:
        return table[(act, state)]
    except KeyError:
        raise NotAllowed(f"{act} is not possible from {state}") from None


def step_of(table: Mapping[tuple[str, str], str], act: str) -> tuple[list[str], str]:
    """Return from which states `act` leads, and to which: what a statement over many rows needs."""
    sources = [source for name, source in table if name == act]
    if not sources:
        raise NotAllowed(f"{act} is in no table of transitions")
    return sources, table[(act, sources[0])]


def as_markdown(kind: str, transitions: Iterable[Transition]) -> str:
    """Return a table of transitions as docs/architecture.md shows it."""
    return "\n".join(
        [
            f"| {kind}: from | act | to | meaning |",
            "|---|---|---|---|",
            *(
                f"| {', '.join(t.sources)} | `{t.act}` | {t.to} | {t.meaning} |"
                for t in transitions
            ),
        ]
    )
