"""The state tables in docs/architecture.md are those that the code acts by."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.deliveries import DELIVERY_TRANSITIONS
from console.lib import transitions
from rollouts.engine.states import as_markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"


TABLES = {**as_markdown(), "delivery": transitions.as_markdown("delivery", DELIVERY_TRANSITIONS)}


@pytest.mark.parametrize(("kind", "table"), TABLES.items())
def test_the_page_shows_every_transition(kind: str, table: str) -> None:
    assert table in PAGE.read_text(), f"docs/architecture.md should hold:\n\n{table}"
