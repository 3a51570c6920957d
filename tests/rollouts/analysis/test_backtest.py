from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollouts.analysis.backtest import (
    Compared,
    PastPhase,
    PastRollout,
    Recorded,
    Would,
    back_test,
)
from rollouts.analysis.readings import Outcome, Reading
from rollouts.engine.facts import GateKind
from rollouts.engine.states import RolloutState
from rollouts.plans.metrics import Compare
from rollouts.plans.parse import parse_thresholds, plan_from_data
from rollouts.plans.plan import Plan

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
STEP_S = 6.0
LENGTH_S = 60.0
RATE = "threshold:failure_rate"
PHASE = {"name": "canary", "weight": "100%", "duration": "60s"}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def readings(values: Sequence[float | bool | None], **fields: Any) -> tuple[Reading, ...]:
    """One reading every six seconds from the start of the phase on; a bool answers a condition."""
    known: dict[str, Any] = {"agents": 20, "samples": 20, "source": "opamp", **fields}
    return tuple(
        Reading(
            Outcome.NO_DATA if value is None else Outcome.VALUE,
            value=None if value is None else float(value),
            breached=value if isinstance(value, bool) else None,
            at=at(n * STEP_S),
            **known,
        )
        for n, value in enumerate(values)
    )


def recorded(gate: str, values: Sequence[float | bool | None], **fields: Any) -> Recorded:
    kind, metric = gate.split(":")
    query, compare = fields.pop("query", ""), fields.pop("compare", Compare.ABSOLUTE)
    return Recorded(gate, GateKind(kind), metric, query, compare, readings(values, **fields))


def past(*gates: Recorded, stopped_after_s: float | None = None, **fields: Any) -> PastRollout:
    """A rollout of one phase that passed after a minute, or was rolled back before."""
    stopped = stopped_after_s is not None
    phase = PastPhase(
        index=0,
        spec=plan_from_data({"phases": [PHASE]}).phases[0],
        began_at=START,
        ended_at=None,
        deployed_at=START,
        finished_at=None if stopped else at(LENGTH_S),
        observed_s=stopped_after_s if stopped_after_s is not None else LENGTH_S,
        interval_s=STEP_S,
        gates=gates,
    )
    return PastRollout(
        id=1,
        number="R-0001",
        state=RolloutState.ROLLED_BACK if stopped else RolloutState.SUCCEEDED,
        phases=(replace(phase, **fields),),
        stopped_at=at(stopped_after_s) if stopped_after_s is not None else None,
    )


def thresholds(**levels: str) -> Plan:
    return parse_thresholds(str({"thresholds": {"failure_rate": levels}}))


def plan(**phase: Any) -> Plan:
    return plan_from_data({"phases": [{**PHASE, **phase}]})


def criteria(*items: tuple[str, str, Any]) -> list[dict[str, Any]]:
    return [{"metric": m, "operator": o, "threshold": t} for m, o, t in items]


CALM = [0.0] * 11
LATE = [0.0] * 5 + [0.3] * 6


@pytest.mark.parametrize(
    ("values", "stopped_after_s", "critical", "would", "compared", "after_s"),
    [
        (CALM, None, "20%", Would.GO_ON, Compared.SAME, None),
        (LATE, None, "20%", Would.ROLL_BACK, Compared.STOPS_MORE, 30),
        (LATE, 30.0, "20%", Would.ROLL_BACK, Compared.SAME, 30),
        (LATE, 60.0, "50%", Would.GO_ON, Compared.LETS_THROUGH, None),
        ([0.3] * 40, 234.0, "20%", Would.ROLL_BACK, Compared.EARLIER, 0),
    ],
    ids=["calm", "stops a success", "as it was", "lets through", "earlier"],
)
def test_a_threshold_stops_where_its_reading_reached_it(
    values: list[float],
    stopped_after_s: float | None,
    critical: str,
    would: Would,
    compared: Compared,
    after_s: float | None,
) -> None:
    rollout = past(recorded(RATE, values), stopped_after_s=stopped_after_s)
    result = back_test(thresholds(critical=critical), rollout)
    assert (result.would, result.compared) == (would, compared)
    assert result.at == (None if after_s is None else at(after_s))


def test_a_stop_names_gate_phase_and_reading() -> None:
    result = back_test(thresholds(critical="20%"), past(recorded(RATE, LATE)))
    assert (result.gate, result.phase) == (RATE, "canary")
    assert str(result.sentence).startswith("Failure rate is 30 %, at or above 20 %, where it acts")


def test_a_plan_that_does_not_roll_back_pauses() -> None:
    text = "thresholds: {failure_rate: {critical: 20%}}\nrollback: {enabled: false}"
    assert back_test(parse_thresholds(text), past(recorded(RATE, LATE))).would is Would.PAUSE


def test_a_warning_at_the_end_of_a_phase_holds_it() -> None:
    result = back_test(thresholds(warning="20%"), past(recorded(RATE, LATE)))
    assert (result.would, result.at) == (Would.HOLD, at(LENGTH_S))


def test_a_warning_that_ended_before_the_phase_did_holds_nothing() -> None:
    values = [0.3] * 5 + [0.0] * 6
    assert back_test(thresholds(warning="20%"), past(recorded(RATE, values))).would is Would.GO_ON


def test_a_criterion_is_decided_at_the_end_of_its_phase() -> None:
    wanted = plan(success_criteria=criteria(("failure_rate", "<", 0.1)))
    gate = recorded("criterion:failure_rate", LATE)
    result = back_test(wanted, past(gate))
    assert (result.would, result.at) == (Would.ROLL_BACK, at(LENGTH_S))


def test_a_criterion_is_read_from_a_threshold_of_the_same_metric() -> None:
    wanted = plan(success_criteria=criteria(("failure_rate", "<", 0.1)))
    assert back_test(wanted, past(recorded(RATE, LATE))).would is Would.ROLL_BACK


def test_more_readings_than_were_taken_hold_the_phase() -> None:
    wanted = plan(success_criteria=criteria(("failure_rate", "<", 0.1)), min_samples=100)
    assert back_test(wanted, past(recorded(RATE, CALM))).would is Would.HOLD


@pytest.mark.parametrize(
    ("rule", "would"),
    [("hold", Would.HOLD), ("fail", Would.ROLL_BACK), ("pass", Would.GO_ON)],
)
def test_silence_does_what_the_plan_says_of_it(rule: str, would: Would) -> None:
    wanted = plan(success_criteria=criteria(("failure_rate", "<", 0.1)), on_no_data=rule)
    assert back_test(wanted, past(recorded(RATE, [None] * 11))).would is would


def test_what_was_never_measured_is_unknown_and_named() -> None:
    result = back_test(thresholds(critical="20%"), past(recorded("threshold:error_rate", CALM)))
    assert (result.would, result.compared) == (Would.UNKNOWN, Compared.UNKNOWN)
    assert result.unread == (RATE,)


def test_a_comparison_that_was_not_made_is_not_guessed() -> None:
    text = "thresholds: {cpu_increase: {critical: 10%, compare: control}}"
    gate = recorded(
        "threshold:cpu_increase", [0.5] * 11, compare=Compare.BEFORE, source="own_metrics"
    )
    assert back_test(parse_thresholds(text), past(gate)).would is Would.UNKNOWN


def test_readings_of_a_source_the_plan_does_not_ask_do_not_count() -> None:
    text = "thresholds: {failure_rate: {critical: 20%, source: own_metrics}}"
    result = back_test(parse_thresholds(text), past(recorded(RATE, LATE, source="opamp")))
    assert result.would is Would.UNKNOWN


@pytest.mark.parametrize(("held", "after_s"), [("0s", 12), ("18s", 30), ("10m", None)])
def test_a_trigger_acts_when_it_held_for_the_time_now_asked_for(
    held: str, after_s: float | None
) -> None:
    trigger = {"name": "exports", "condition": "up == 0", "for": held}
    wanted = parse_thresholds(str({"rollback": {"triggers": [trigger]}}))
    gate = recorded(
        "trigger:old_name", [False] * 2 + [True] * 9, query="up == 0", source="prometheus"
    )
    result = back_test(wanted, past(gate, stopped_after_s=59.0))
    assert result.at == (None if after_s is None else at(after_s))


def test_another_condition_was_not_measured() -> None:
    trigger = {"name": "exports", "condition": "up == 1"}
    wanted = parse_thresholds(str({"rollback": {"triggers": [trigger]}}))
    gate = recorded("trigger:exports", [True] * 11, query="up == 0")
    assert back_test(wanted, past(gate)).would is Would.UNKNOWN


def test_readings_of_the_next_phase_do_not_stop_this_one() -> None:
    rollout = past(recorded(RATE, LATE), ended_at=at(20))
    assert back_test(thresholds(critical="20%"), rollout).would is Would.GO_ON


def test_the_bake_after_the_last_phase_is_watched() -> None:
    values = [0.0] * 20 + [0.3]
    result = back_test(thresholds(critical="20%"), past(recorded(RATE, values)))
    assert (result.would, result.at) == (Would.ROLL_BACK, at(120))
