"""A question to a person is one event of the timeline, with the evidence that it was asked on."""

from __future__ import annotations

import pytest

from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.models import Approval, Event, Rollout
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, why_of

pytestmark = pytest.mark.django_db


def questions(rollout: Rollout) -> list[Event]:
    asked = Event.objects.filter(rollout=rollout, act__in=["ask_approval", "approval_asked"])
    return list(asked.order_by("seq"))


def test_a_question_is_one_event_each_time_it_is_asked() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    [first] = questions(rollout)
    assert (first.act, first.state_to) == ("ask_approval", "awaiting_approval")
    assert first.inputs["digest"] == Approval.objects.get().digest
    assert {"expires_at", "gates"} <= set(first.inputs)
    reject(
        rollout_id=rollout.pk,
        phase="all",
        by=fleet.approver,
        reason="Not yet, please.",
        now=fleet.now,
    )
    assert why_of(rollout) == f"All rejected by {fleet.approver.name}: Not yet, please."
    resume(rollout_id=rollout.pk, by=fleet.operator, reason="Now then.", now=fleet.now)
    fleet.run_until(lambda: Approval.objects.filter(state="waiting").exists())
    assert [event.act for event in questions(rollout)] == ["ask_approval", "approval_asked"]
