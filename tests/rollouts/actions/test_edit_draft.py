"""Drafts are changed and given up; both are written down, and who changes one does not approve it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent
from console.lib.problems import Denied, Invalid, Refused, Stale
from rollouts.actions.discard import discard
from rollouts.actions.edit_draft import edit_draft
from rollouts.actions.start import start
from rollouts.models import Approval, Event, Target
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.make.people import make_actor
from tests.make.times import NOW
from tests.rollouts.fleet import ALL_AT_ONCE, CANARY_THEN_ALL, Fleet

pytestmark = pytest.mark.django_db


def test_what_is_given_changes_and_the_rest_stays() -> None:
    fleet = Fleet(20)
    for _ in range(4):
        make_collector({"env": "dev"}, running_hash=fleet.v1.config_hash)
    draft = fleet.draft(title="Raise it", spread_label="env")
    changed = edit_draft(rollout_id=draft.pk, by=fleet.operator, selector="env=dev", now=NOW)
    assert (changed.selector, changed.title, changed.spread_label) == ("env=dev", "Raise it", "env")
    assert (changed.version, changed.seed) == (fleet.v2, draft.seed)
    assert changed.plan == draft.plan
    assert Target.objects.filter(rollout=draft).count() == 4
    assert changed.preview["eligible"] == 4
    assert changed.revision == draft.revision + 1


def test_the_membership_is_that_of_a_new_draft_with_the_same_seed() -> None:
    fleet = Fleet(30)
    draft, other = fleet.draft(plan=ALL_AT_ONCE, seed="s"), fleet.draft(seed="s")
    edit_draft(rollout_id=draft.pk, by=fleet.operator, plan=CANARY_THEN_ALL, now=NOW)
    members = [
        list(
            rollout.targets.order_by("phase__index", "position").values_list(
                "agent_id", "phase__name"
            )
        )
        for rollout in (draft, other)
    ]
    assert members[0] == members[1]


def test_another_version_takes_the_title_with_it() -> None:
    fleet = Fleet(4)
    make_version(author=fleet.author)
    draft = fleet.draft()
    changed = edit_draft(rollout_id=draft.pk, by=fleet.operator, version=3, now=NOW)
    assert (changed.title, changed.version.number) == ("edge v3", 3)


def test_an_edited_draft_can_be_started() -> None:
    fleet = Fleet(10)
    draft = fleet.draft(start_at=NOW + timedelta(hours=1))
    edit_draft(rollout_id=draft.pk, by=fleet.operator, start_at=None, now=NOW)
    assert start(rollout_id=draft.pk, by=fleet.operator, now=NOW).state == "running"


def test_a_change_is_in_timeline_and_audit_with_what_was_before() -> None:
    fleet = Fleet(4)
    draft = fleet.draft()
    edit_draft(rollout_id=draft.pk, by=fleet.operator, selector="env=prod", now=NOW)
    event = Event.objects.get(rollout=draft, act="edit")
    assert event.inputs["before"]["selector"] == "*"
    assert event.inputs["selector"] == "env=prod"
    assert AuditEvent.objects.filter(act="rollouts.edit", object_id=draft.pk).count() == 1


def test_who_edits_a_draft_does_not_approve_it() -> None:
    fleet = Fleet(4)
    draft, second = fleet.draft(), make_actor("operator")
    assert second.user is not None
    edited = edit_draft(rollout_id=draft.pk, by=second, selector="env=prod", now=NOW)
    assert second.user.pk in edited.involved_ids()
    phase = edited.phases.first()
    assert phase is not None
    Approval.objects.create(phase=phase, asked_at=NOW, expires_at=NOW + timedelta(days=1))
    assert Approval.objects.involving(second.user.pk).count() == 1
    approver = fleet.approver.user
    assert approver is not None
    assert not Approval.objects.involving(approver.pk).exists()


def test_nothing_is_kept_of_a_change_that_is_wrong() -> None:
    fleet = Fleet(4)
    draft = fleet.draft()
    with pytest.raises(Invalid):
        edit_draft(rollout_id=draft.pk, by=fleet.operator, selector="env=", now=NOW)
    with pytest.raises(Invalid):
        edit_draft(rollout_id=draft.pk, by=fleet.operator, when_busy="shout", now=NOW)
    draft.refresh_from_db()
    assert (draft.selector, draft.revision) == ("*", 1)


def test_a_discarded_draft_stays_readable_and_holds_nobody() -> None:
    fleet = Fleet(4)
    draft = fleet.draft()
    gone = discard(rollout_id=draft.pk, by=fleet.operator, now=NOW)
    assert (gone.state, gone.shown_state) == ("aborted", "never_started")
    assert gone.why["say"]["text"] == "why.discarded"
    assert not Target.objects.filter(rollout=draft, active=True).exists()
    assert AuditEvent.objects.filter(act="rollouts.discard", object_id=draft.pk).count() == 1


@pytest.mark.parametrize("act", [edit_draft, discard])
def test_only_a_draft_and_only_by_an_operator_and_only_what_was_seen(act) -> None:  # type: ignore[no-untyped-def]
    fleet = Fleet(4)
    draft = fleet.draft()
    for role in ("viewer", "author", "approver"):
        with pytest.raises(Denied):
            act(rollout_id=draft.pk, by=make_actor(role), now=NOW)
    with pytest.raises(Stale):
        act(rollout_id=draft.pk, by=fleet.operator, seen_revision=7, now=NOW)
    start(rollout_id=draft.pk, by=fleet.operator, now=NOW)
    with pytest.raises(Refused):
        act(rollout_id=draft.pk, by=fleet.operator, now=NOW)
