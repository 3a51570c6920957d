"""What one look and one approval read under the lock of their rollout: the facts, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.lib.problems import Refused
from rollouts.actions.approve import approve
from rollouts.actions.waive import waive
from rollouts.loop.tick import tick_one
from rollouts.models import Approval, Phase, Rollout, Target, Waiver
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, why_of
from tests.rollouts.loop.test_news import answer, offered, sending

pytestmark = pytest.mark.django_db

# Asked for by every reading of the facts, and by nothing else.
READ_OF_FACTS = 'FROM "rollouts_freezewindow"'


def readings(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return sum(READ_OF_FACTS in query["sql"] for query in queries.captured_queries)


def asked() -> tuple[Fleet, Rollout]:
    fleet = Fleet(20)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    return fleet, rollout


def approved(fleet: Fleet, rollout: Rollout) -> Phase:
    return approve(rollout_id=rollout.pk, phase="all", by=fleet.approver, now=fleet.now)


def test_an_approval_reads_the_facts_once_and_sends_at_once() -> None:
    fleet, rollout = asked()
    assert readings(lambda: approved(fleet, rollout)) == 1
    assert phases_of(rollout)[1] == "deploying"
    sent = Target.objects.filter(phase__index=1, offered_at__isnull=False).count()
    assert sent > 0
    assert f"{sent} of " in why_of(rollout) or f"{sent} agent" in why_of(rollout)


def test_a_look_that_sends_reads_the_facts_once() -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    answer(fleet, 2)
    Rollout.objects.update(next_tick_at=fleet.now)
    assert readings(lambda: tick_one(fleet.now)) == 1
    assert offered(rollout) == 5


def test_a_question_that_nobody_answered_in_time_is_answered_no_more() -> None:
    fleet, rollout = asked()
    Approval.objects.update(expires_at=fleet.now - timedelta(seconds=1))
    with pytest.raises(Refused, match="cannot be approved now"):
        approved(fleet, rollout)
    assert phases_of(rollout)[1] == "awaiting_approval"
    assert Approval.objects.get().state == "waiting"


def test_a_waiver_reads_the_facts_once_and_goes_on_by_them() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")

    def act() -> None:
        waive(
            rollout_id=rollout.pk,
            phase="canary",
            gate="criterion:failure_rate",
            by=fleet.approver,
            reason="checked by hand",
            now=fleet.now,
        )

    assert readings(act) == 1
    assert phases_of(rollout)[0] == "observing"
    assert Waiver.objects.get().reading["waived_by"] is None
