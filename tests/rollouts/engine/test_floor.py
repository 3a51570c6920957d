"""How many agents may fail, whatever the criteria say: the floor as a table of cases."""

from __future__ import annotations

import pytest

from rollouts.engine.facts import Counts, Level, Verdict
from rollouts.engine.floor import floor_gate, is_over, tolerated
from tests.make.times import NOW


@pytest.mark.parametrize(
    ("share", "expected", "may"),
    [
        (0.1, 0, 0),
        (0.1, 1, 0),
        (0.1, 9, 0),
        (0.1, 10, 1),
        (0.1, 20, 2),
        (0.29, 100, 29),  # 0.29 x 100 is 28.999... in binary
        (0.0, 1000, 0),
        (1.0, 1, 0),
        (1.0, 10, 10),
    ],
)
def test_how_many_may_fail(share: float, expected: int, may: int) -> None:
    assert tolerated(share, expected) == may


CASES = {
    "nobody failed": (Counts(members=20, applied=20), 0.1, False),
    "as many as may": (Counts(members=20, applied=18, failed=2), 0.1, False),
    "one more": (Counts(members=20, applied=17, failed=3), 0.1, True),
    "silence counts": (Counts(members=20, applied=17, timed_out=3), 0.1, True),
    "falling back counts": (Counts(members=20, applied=17, fell_back=3), 0.1, True),
    "being lost counts": (Counts(members=20, applied=17, lost=3), 0.1, True),
    "bad health counts": (Counts(members=20, applied=20, unhealthy=3), 0.1, True),
    "all kinds together": (
        Counts(members=20, applied=17, failed=1, fell_back=1, unhealthy=1, timed_out=1), 0.15, True,
    ),
    "a canary of one": (Counts(members=1, failed=1), 1.0, True),
    "who was let go is not counted on": (Counts(members=20, failed=1, skipped=11), 0.1, True),
    "the away are not counted on": (Counts(members=20, failed=1, away=11, waiting=11), 0.1, True),
    "all refused, whatever is tolerated": (Counts(members=4, failed=3, fell_back=1), 1.0, True),
    "all silent is tolerated when it says so": (Counts(members=4, timed_out=4), 1.0, False),
    "nobody there": (Counts(), 0.1, False),
}  # fmt: skip


@pytest.mark.parametrize(("counts", "share", "over"), CASES.values(), ids=CASES)
def test_case(counts: Counts, share: float, over: bool) -> None:
    assert is_over(counts, share) is over


def test_a_breach_fires_and_says_each_kind_apart() -> None:
    counts = Counts(members=20, applied=13, failed=3, fell_back=1, lost=2, timed_out=1)
    gate = floor_gate(counts, [counts], 0.1, NOW)
    assert (gate.verdict, gate.level, gate.firing) == (Verdict.FAIL, Level.CRITICAL, True)
    assert str(gate.sentence) == (
        "7 of 20 agents failed (3 refused, 1 did not answer in time, 1 fell back by itself, "
        "2 lost since the change); at most 2 may."
    )


def test_what_is_tolerated_passes_and_is_said() -> None:
    gate = floor_gate(Counts(members=20, applied=19, failed=1), [], 0.1, NOW)
    assert gate.passes
    assert str(gate.sentence) == "1 of 20 agents failed (1 refused); at most 2 may."


def test_before_anybody_answered_nothing_is_known() -> None:
    gate = floor_gate(Counts(members=20, outstanding=20), [], 0.1, NOW)
    assert gate.verdict is Verdict.INSUFFICIENT


def test_agents_of_earlier_phases_count_with_all_begun_phases() -> None:
    first, second = Counts(members=2, failed=2), Counts(members=10, applied=10)
    assert floor_gate(second, [first, second], 0.1, NOW).firing
    assert not floor_gate(second, [Counts(members=2, failed=1, applied=1), second], 0.1, NOW).firing
