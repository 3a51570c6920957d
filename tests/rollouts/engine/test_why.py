from __future__ import annotations

from dataclasses import replace

from console.words.why import tone
from rollouts.engine.decide import decide
from rollouts.engine.facts import RolloutFacts
from rollouts.engine.why import Why, why
from tests.make.times import NOW
from tests.rollouts.engine.facts import FAIL, PASS, SILENT, gate, phase, plan, rollout


def line(facts: RolloutFacts) -> Why:
    return why(facts, decide(facts, NOW), NOW)


def test_a_criterion_that_fails_so_far_is_told_while_its_window_lasts() -> None:
    found = line(rollout(phase(observed_s=10.0), gates=(PASS, FAIL)))
    assert str(found.say) == "Observing canary. Failure rate is 2 %."
    assert str(found.next) == "If that is so at the end of the window, the rollout comes back."
    assert tone(found.to_dict()) == "warn"
    assert found.deadline is not None


def test_without_rollback_it_is_told_to_pause() -> None:
    calm = replace(plan(), rollback=replace(plan().rollback, enabled=False))
    found = line(rollout(phase(observed_s=10.0), gates=(FAIL,), plan=calm))
    assert str(found.next).endswith("the rollout pauses.")


def test_a_criterion_that_a_person_waived_is_not_told() -> None:
    waived = replace(FAIL, waived_by="lin")
    assert str(line(rollout(phase(observed_s=10.0), gates=(waived,))).say).endswith("pass so far.")


def test_missing_data_is_told_with_its_reason() -> None:
    silent = replace(SILENT, sentence="Queue has no data since 12:00:00 UTC (it is away).")
    found = line(rollout(phase(observed_s=60.0), gates=(silent,)))
    assert str(found.say) == (
        "Holding: Queue has no data since 12:00:00 UTC (it is away). No data is never good."
    )


def test_missing_data_without_a_sentence_is_told() -> None:
    silent = replace(SILENT, sentence="")
    assert "Failure rate has no data." in str(
        line(rollout(phase(observed_s=60.0), gates=(silent,))).say
    )


def test_a_calm_window_says_what_comes_next() -> None:
    found = line(rollout(phase(observed_s=10.0), gates=(PASS, gate())))
    assert str(found.say) == "Observing canary. 2 of 2 gates pass so far."
    assert tone(found.to_dict()) == "run"
