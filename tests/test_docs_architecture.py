"""The state tables in docs/architecture.md are those of `rollouts/engine/states.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollouts.engine.states import as_markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"


@pytest.mark.parametrize(("kind", "table"), as_markdown().items())
def test_the_page_shows_every_transition(kind: str, table: str) -> None:
    assert table in PAGE.read_text(), f"docs/architecture.md should hold:\n\n{table}"
