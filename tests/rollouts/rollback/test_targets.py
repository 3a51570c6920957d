"""Which version an agent goes back to, as a pure function of its history."""

from __future__ import annotations

import pytest

from console.lib.texts import Text
from rollouts.rollback.targets import (
    NO_VERSION,
    NOT_STORED,
    TOO_DEEP,
    batch_is_good,
    batch_size,
    previous_of,
)

ALL = list("abcdefgh")


def previous(running: str, history: str, avoid: str = "", stored: str = "abcdefgh") -> Text | str:
    way = previous_of(1, running, list(history), avoid=avoid, stored=stored, max_depth=5)
    return way.to_hash or way.problem


@pytest.mark.parametrize(
    ("running", "history", "avoid", "expected"),
    [
        ("b", "ba", "", "a"),
        ("b", "bba", "", "a"),
        ("a", "aba", "", "b"),
        ("a", "aba", "b", TOO_DEEP),
        ("a", "abc", "b", "c"),
        ("a", "a", "", NO_VERSION),
        ("a", "", "", NO_VERSION),
        ("h", "hgfedcb", "gfed", "c"),
        ("h", "hgfedcb", "gfedc", TOO_DEEP),
    ],
)
def test_previous_walks_the_agents_own_applied_history(
    running: str, history: str, avoid: str, expected: str
) -> None:
    assert previous(running, history, avoid) == expected


def test_a_version_that_is_not_stored_is_no_way_back() -> None:
    assert previous("b", "ba", stored="b") == NOT_STORED


@pytest.mark.parametrize(("agents", "size"), [(1, 1), (9, 1), (10, 1), (11, 2), (1000, 100)])
def test_a_batch_is_a_tenth_and_at_least_one(agents: int, size: int) -> None:
    assert batch_size(agents) == size


@pytest.mark.parametrize(
    ("confirmed", "failed", "timed_out", "good"),
    [(10, 0, 0, True), (9, 1, 0, True), (8, 1, 1, False), (0, 0, 0, True), (0, 1, 0, False)],
)
def test_a_batch_is_good_when_nine_of_ten_that_answered_are_back(
    confirmed: int, failed: int, timed_out: int, good: bool
) -> None:
    assert batch_is_good(confirmed, failed, timed_out) is good
