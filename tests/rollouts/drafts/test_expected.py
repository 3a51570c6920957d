from __future__ import annotations

from typing import Any

import pytest

from console.words.expected import expected
from rollouts.drafts.expected import SENDING_S, stretches
from rollouts.plans.parse import plan_from_data
from rollouts.plans.plan import Plan


def plan(*, manual: bool = True, **more: Any) -> Plan:
    phases = [
        {"name": "canary", "weight": "10%", "duration": "20s"},
        {"name": "half", "weight": "50%", "duration": "40s"},
        {"name": "all", "weight": "100%", "duration": "1m", "auto_advance": not manual},
    ]
    return plan_from_data({"phases": phases, "bake": "10s", **more}, name="p")


FULL = {"canary": 2, "half": 8, "all": 10}


def seconds(found: list[Any]) -> list[float]:
    return [part.seconds for part in found]


def test_an_approval_parts_what_passes_by_itself() -> None:
    found = stretches(plan(), FULL)
    assert seconds(found) == [60 + 2 * SENDING_S, 60 + SENDING_S + 10]
    assert [part.asks for part in found] == [False, True]
    assert expected(found) == "about 1 min 10 s, then an approval, then about 1 min 15 s"


def test_without_one_it_is_one_stretch() -> None:
    assert seconds(stretches(plan(manual=False), FULL)) == [120 + 3 * SENDING_S + 10]


def test_after_an_approval_only_the_rest_is_left() -> None:
    found = stretches(plan(), FULL, after="all")
    assert seconds(found) == [60 + SENDING_S + 10]
    assert not found[0].asks


def test_an_empty_phase_passes_at_once() -> None:
    assert seconds(stretches(plan(manual=False), {"all": 10})) == [60 + SENDING_S + 10]


@pytest.mark.parametrize(("rest", "more"), [(0, 0), (5, 60 + SENDING_S)])
def test_the_last_wave_is_observed_like_the_last_phase(rest: int, more: float) -> None:
    found = stretches(plan(manual=False), FULL, rest=rest)
    assert seconds(found) == [120 + 3 * SENDING_S + 10 + more]
