from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.pages.drawing.readings import Span
from console.pages.rollouts.evidence.chart import GateChart, chart_of, group_of, says_of
from console.pages.rollouts.evidence.rows import GateReading
from rollouts.engine.facts import GateFacts, GateKind, Verdict
from tests.make.times import NOW

GATE = GateFacts(
    gate="criterion:failure_rate",
    kind=GateKind.CRITERION,
    metric="failure_rate",
    title="Failure rate",
    verdict=Verdict.PASS,
    unit="fraction",
    operator="<",
    limit=0.02,
)


def reading(value: float | None, at_s: float = 0, **more: Any) -> GateReading:
    known: dict[str, Any] = {
        "gate": GATE.gate,
        "metric": GATE.metric,
        "phase": "canary",
        "at": NOW + timedelta(seconds=at_s),
        "outcome": "no_data" if value is None else "value",
        "value": value,
        "low": None,
        "high": None,
        "agents": 20,
        "is_bad": False,
        "level": "",
        "source": "opamp",
        "note": "",
    }
    return GateReading(**{**known, **more})


def chart(*readings: GateReading) -> GateChart:
    found = chart_of(GATE, readings, NOW, NOW + timedelta(seconds=60))
    assert found is not None
    return found


def test_nobody_has_read_anything_so_there_is_no_chart() -> None:
    assert chart_of(GATE, [], NOW, NOW) is None


def test_the_scale_is_written_in_the_unit_of_the_metric() -> None:
    assert chart(reading(0.95)).ticks == ["100 %", "75 %", "50 %", "25 %", "0 %"]
    assert chart(reading(0.0)).ticks == ["3 %", "2 %", "1 %", "0 %"]


def test_the_times_under_it_are_those_of_its_window() -> None:
    minute = timedelta(seconds=60)
    assert chart(reading(0.0)).moments == [NOW, NOW + minute / 2, NOW + minute]


def test_a_reading_is_said_with_its_interval_and_both_groups() -> None:
    found = reading(0.95, low=0.9, high=0.99, control=Span(0.0), control_agents=180)
    assert says_of(GATE, found) == "95 % (90 % to 99 %) · 20 agents · not changed: 0 %, 180 agents"


def test_a_reading_without_data_is_said_to_be_one_with_its_reason() -> None:
    assert says_of(GATE, reading(None, note="nobody answered")) == "no data: nobody answered"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "The value itself is judged, compared with nobody."),
        ({"compare": "before"}, "Compared with the same agents before the change."),
        (
            {"control": Span(0.0), "control_agents": 180},
            "Beside it 180 agents that do not change now: 0 %.",
        ),
        (
            {"compare": "control", "control": Span(0.05), "control_agents": 1},
            "Compared with 1 agent that does not change now: 5 % by itself.",
        ),
    ],
)
def test_the_comparison_is_named_in_words(more: dict[str, Any], said: str) -> None:
    assert group_of(GATE, [reading(0.1, **more), reading(None)]) == said


def test_a_control_group_is_the_nought_of_a_difference_from_it() -> None:
    control = Span(0.30, 0.28, 0.32)
    against = [reading(0.01, n, compare="control", control=control) for n in range(3)]
    assert chart(*against).ticks[-2:] == ["0 %", "-2 %"]
    beside = [reading(0.01, n, control=control) for n in range(3)]
    assert chart(*beside).ticks[0] == "40 %"


def test_thinning_is_said() -> None:
    many = [reading(0.0, n) for n in range(100)]
    assert chart(*many).note == "48 of 100 readings are drawn: of neighbours the worst one."
    assert chart(*many[:48]).note == ""


def test_a_condition_is_true_or_not() -> None:
    trigger = GateFacts(
        gate="trigger:x",
        kind=GateKind.TRIGGER,
        metric="x",
        title="X",
        verdict=Verdict.FAIL,
    )
    found = chart_of(trigger, [reading(None, outcome="value", is_bad=True)], NOW, NOW)
    assert found is not None
    assert found.ticks == ["true", "false"]
    assert "the condition is true" in found.svg
