"""Questions about sets of rollouts and approvals."""

from __future__ import annotations

import pytest

from rollouts.models import Approval
from tests.make.people import make_actor
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual

pytestmark = pytest.mark.django_db


def test_whose_work_it_is_is_one_question_for_one_and_for_many() -> None:
    fleet = Fleet(agents=2)
    drafter, starter = make_actor("approver"), make_actor("approver")
    rollout = fleet.draft(manual(CANARY_THEN_ALL), by=fleet.operator)
    rollout.created_by, rollout.started_by = drafter.user, starter.user
    rollout.save(update_fields=["created_by", "started_by"])
    Approval.objects.create(
        phase=rollout.phases.get(name="all"), asked_at=fleet.now, expires_at=fleet.now
    )
    people = [fleet.author, drafter, starter, fleet.operator, fleet.approver]
    ids = [person.user.pk for person in people if person.user]
    assert rollout.involved_ids() == set(ids[:3])
    found = {pk for pk in ids if Approval.objects.involving(pk).exists()}
    assert found == rollout.involved_ids()


def test_nobody_is_involved_who_is_not_known() -> None:
    fleet = Fleet(agents=1)
    rollout = fleet.draft()
    rollout.created_by = rollout.version.author = None
    assert rollout.involved_ids() == frozenset()
