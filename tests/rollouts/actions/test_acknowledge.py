"""Acknowledging: allowed, denied, stale, twice, gone; and what the audit log keeps of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from agents.models import RefusedAgent
from console.lib.problems import Denied, Invalid, Missing, Stale
from console.lib.texts import spoken
from rollouts.actions.acknowledge import acknowledge
from rollouts.models import Acknowledgement
from tests.make.people import make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DOOR: dict[str, Any] = {"kind": "at_the_door", "subject": "all"}


def by(role: str) -> Actor:
    return Actor.of(make_user(role, role))


@pytest.fixture(autouse=True)
def refused() -> RefusedAgent:
    return RefusedAgent.objects.create(
        address="10.0.0.1", reason="credential_missing", times=1, first_at=NOW, last_at=NOW
    )


@pytest.mark.parametrize("role", ["operator", "approver", "admin"])
def test_who_acts_on_rollouts_may(role: str) -> None:
    kept = acknowledge(**DOOR, by=by(role), note="known host", now=NOW)
    assert (kept.by_name, kept.note, kept.at) == (role, "known host", NOW)


@pytest.mark.parametrize("role", ["viewer", "author"])
def test_others_may_not(role: str) -> None:
    with pytest.raises(Denied):
        acknowledge(**DOOR, by=by(role))
    assert not Acknowledgement.objects.exists()


def test_the_audit_log_says_what_was_seen() -> None:
    acknowledge(**DOOR, by=by("operator"), note="known host")
    row = AuditEvent.objects.get(act="needs.acknowledge")
    assert (row.actor_name, row.reason) == ("operator", "known host")
    assert spoken(row.details)["what"] == "1 agent is refused at the door"


def test_twice_is_as_good_as_once() -> None:
    first = acknowledge(**DOOR, by=by("operator"))
    again = acknowledge(**DOOR, by=by("admin"))
    assert again.by_name == first.by_name == "operator"
    assert AuditEvent.objects.filter(act="needs.acknowledge").count() == 1


def test_what_has_changed_since_it_was_read_is_not_acknowledged() -> None:
    with pytest.raises(Stale) as told:
        acknowledge(**DOOR, by=by("operator"), facts="another row")
    assert "1 agent is refused at the door" in told.value.detail
    assert not Acknowledgement.objects.exists()


def test_what_needs_nobody_any_more_is_not_there(refused: RefusedAgent) -> None:
    refused.delete()
    with pytest.raises(Missing):
        acknowledge(**DOOR, by=by("operator"))


def test_a_long_note_is_refused() -> None:
    with pytest.raises(Invalid):
        acknowledge(**DOOR, by=by("operator"), note="x" * 501)
