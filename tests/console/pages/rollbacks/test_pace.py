"""How long a rollback still takes: said from the pace of the newer half, or not at all."""

from __future__ import annotations

import pytest

from console.pages.rollbacks.pace import left_s


@pytest.mark.parametrize(
    ("back", "online", "half_s", "last_s", "now_s", "expected"),
    [
        (10, 20, 1.0, 2.0, 2.0, 2.0),  # 5 in a second: 10 more take 2 s
        (10, 20, 1.0, 2.0, 3.0, 4.0),  # nobody since: the pace sinks
        (11, 20, 1.0, 2.0, 2.0, 1.8),  # the middle one of an odd number is of the older half
        (10, 15, 1.0, 2.0, 2.0, 1.0),
        (300, 357, 4.0, 10.0, 10.0, 2.28),
    ],
)
def test_the_newer_half_sets_the_pace(
    back: int, online: int, half_s: float, last_s: float, now_s: float, expected: float
) -> None:
    found = left_s(back=back, online=online, half_s=half_s, last_s=last_s, now_s=now_s)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("back", "online", "half_s", "last_s", "now_s", "why"),
    [
        (20, 20, 1.0, 2.0, 2.0, "all are back"),
        (4, 20, 1.0, 2.0, 2.0, "too few make no pace"),
        (10, 20, 1.0, 2.0, 6.0, "nobody came back for longer than a pause"),
        (10, 20, 2.0, 2.0, 2.0, "all came in one moment"),
        (5, 9000, 1.0, 2.0, 2.0, "the end is further away than anybody can see"),
    ],
)
def test_says_nothing_when_nobody_can_know(
    back: int, online: int, half_s: float, last_s: float, now_s: float, why: str
) -> None:
    found = left_s(back=back, online=online, half_s=half_s, last_s=last_s, now_s=now_s)
    assert found is None, why
