"""Refusing what ran before says something about the agent, one refusal about a config."""

from __future__ import annotations

import pytest

from agents.opamp.wedged import wedged_since

CASES = {
    "a config is refused": ("7", "6", "5", "", False, ""),
    "another one is refused after it": ("8", "6", "5", "7", True, ""),
    "the old good one is refused after the new one": ("6", "6", "5", "7", False, "7"),
    "so is the one before it": ("5", "6", "5", "7", False, "7"),
    "what runs is refused, nothing else was": ("6", "6", "5", "", True, ""),
    "the same is refused again": ("6", "6", "5", "6", True, ""),
    "the new one was applied, is unhealthy, and the old one refused": (
        "6",
        "7",
        "6",
        "",
        True,
        "7",
    ),
    "the new one runs well, the old one is refused": ("6", "7", "6", "", False, ""),
    "an agent that never ran anything refuses": ("7", "", "", "6", True, ""),
}


@pytest.mark.parametrize(
    ("refused", "running", "former", "first_refused", "is_unhealthy", "since"),
    CASES.values(),
    ids=CASES.keys(),
)
def test_when_an_agent_refuses_everything(
    refused: str, running: str, former: str, first_refused: str, is_unhealthy: bool, since: str
) -> None:
    found = wedged_since(
        refused,
        running=running,
        former=former,
        first_refused=first_refused,
        is_unhealthy=is_unhealthy,
    )
    assert found == since
