from __future__ import annotations

from dataclasses import replace

import pytest

from rollouts.analysis.sentences import amount
from tests.rollouts.analysis.test_verdicts import CRITERION, judged, reading


def test_a_sentence_says_how_sure_it_is_and_on_what() -> None:
    sure = {"low": 0.01, "high": 0.04, "source": "own_metrics"}
    found = judged(CRITERION, [reading(ago, 0.02, **sure) for ago in (20, 10, 0)])
    assert str(found.sentence) == (
        "Failure rate is 2 %, as it must be: below 5 % (between 1 % and 4 %, 20 agents, own metrics)."
    )


def test_a_count_has_no_interval() -> None:
    found = judged(CRITERION, [reading(ago, 0.02) for ago in (20, 10, 0)])
    assert str(found.sentence).endswith("below 5 % (20 agents, OpAMP).")


def test_a_limit_in_bytes_is_said_as_people_write_it() -> None:
    spec = replace(CRITERION, unit="bytes/min", limit=5 * 2**20, title="Memory growth")
    found = judged(spec, [reading(ago, 2516.0) for ago in (20, 10, 0)])
    assert "Memory growth is 2.457 KiB/min, as it must be: below 5 MiB/min" in str(found.sentence)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1e6, "bytes/min", "1 MB/min"),
        (-3 * 2**20, "bytes/min", "-3 MiB/min"),
        (12.0, "bytes/min", "12 B/min"),
        (0.123456, "fraction", "12.35 %"),
        (10.0, "errors/min", "10 errors/min"),
    ],
)
def test_amounts_are_said_in_their_unit(value: float, unit: str, said: str) -> None:
    assert amount(value, unit) == said
