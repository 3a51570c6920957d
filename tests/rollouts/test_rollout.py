"""Rollouts from draft to end, with agents that answer and ticks that come round."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from agents.models import ConfigStatus
from rollouts.models import Event, Rollback
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db


def test_a_good_version_goes_from_canary_to_everyone() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    assert fleet.running() == {fleet.v2.config_hash: 20}
    assert phases_of(rollout) == ["passed", "passed"]


def test_only_the_canary_has_the_version_while_it_is_observed() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    assert fleet.running()[fleet.v2.config_hash] == 2


def test_a_version_that_the_canary_refuses_comes_back_by_itself() -> None:
    fleet = Fleet(20)
    fleet.answer = lambda agent, config_hash: (
        ConfigStatus.FAILED if config_hash == fleet.v2.config_hash else ConfigStatus.APPLIED
    )
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    assert fleet.running() == {fleet.v1.config_hash: 20}
    assert phases_of(rollout) == ["failed", "skipped"]
    assert Rollback.objects.get().kind == "automatic"


def test_production_waits_for_approval_and_starts_after_it() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    assert "needs approval" in why_of(rollout)
    fleet.run(60)
    assert fleet.running()[fleet.v2.config_hash] == 2


def test_an_event_is_never_changed() -> None:
    Fleet(2).start()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Event.objects.update(reason="another")


def test_each_transition_is_one_event_in_order() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    acts = list(Event.objects.filter(rollout=rollout).values_list("seq", "act"))
    assert acts == list(
        enumerate(
            [
                "draft",
                "start",
                "start_phase",
                "deployed",
                "pass_phase",
                "start_phase",
                "deployed",
                "pass_phase",
                "bake",
                "succeed",
            ],
            start=1,
        )
    )
