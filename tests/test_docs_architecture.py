"""The state tables in docs/architecture.md are those of `rollouts/engine/states.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rollouts.engine.states import (
    PHASE_TRANSITIONS,
    ROLLBACK_TRANSITIONS,
    ROLLOUT_TRANSITIONS,
    Transition,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
TABLES = {
    "rollout": ROLLOUT_TRANSITIONS,
    "phase": PHASE_TRANSITIONS,
    "rollback": ROLLBACK_TRANSITIONS,
}


def table(kind: str, transitions: Sequence[Transition]) -> str:
    lines = [f"| {kind}: from | act | to | meaning |", "|---|---|---|---|"]
    lines += [
        f"| {', '.join(str(source) for source in t.sources)} | `{t.act}` | {t.to} | {t.meaning} |"
        for t in transitions
    ]
    return "\n".join(lines)


@pytest.mark.parametrize("kind", TABLES)
def test_the_page_shows_every_transition(kind: str) -> None:
    expected = table(kind, TABLES[kind])
    assert expected in PAGE.read_text(), f"docs/architecture.md should hold:\n\n{expected}"
