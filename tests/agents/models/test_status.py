"""When an agent that counts as connected is late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.models.status import LATE_AFTER, is_late
from tests.make.times import NOW

A_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("connected", "silent_for", "expected"),
    [
        (True, timedelta(0), False),
        (True, LATE_AFTER, False),
        (True, LATE_AFTER + A_SECOND, True),
        (False, LATE_AFTER + A_SECOND, False),  # it is gone, not late
        (None, LATE_AFTER + A_SECOND, False),
        (True, None, False),  # it has not said a word since it connected
    ],
)
def test_who_is_late(connected: bool | None, silent_for: timedelta | None, expected: bool) -> None:
    seen_at = None if silent_for is None else NOW - silent_for
    assert is_late(connected, seen_at, NOW) is expected
