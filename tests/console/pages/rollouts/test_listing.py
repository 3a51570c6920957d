"""The list of rollouts: what became of each and why, filters, and the last 30 days."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from rollouts.models import Event, Rollout
from tests.console.pages.markup import markup
from tests.console.pages.rollbacks.rows import make_way_back
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db
OVER = ("passed", "passed", "passed")


def page() -> str:
    return markup(sign_in("vera", "viewer").get("/rollouts/"))


def shown(client: Client, query: str) -> set[str]:
    text = markup(client.get(f"/rollouts/{query}"))
    return set(re.findall(r'<tr id="rollout-(\d+)"', text))


def aborted(config: str) -> Rollout:
    rollout = make_rollout(make_config(config, 2)[1], state="aborted", phases=OVER)
    Event.objects.create(
        rollout=rollout,
        seq=1,
        at=timezone.now(),
        actor_kind="human",
        actor_name="lin",
        act="abort",
        reason="The window closes.",
    )
    return rollout


def succeeded(config: str, took: timedelta, by: str = "") -> Rollout:
    starter = make_user(by, "operator") if by else None
    rollout = make_rollout(make_config(config, 2)[1], state="succeeded", phases=OVER, by=starter)
    now = timezone.now()
    Rollout.objects.filter(pk=rollout.pk).update(started_at=now - took, finished_at=now)
    return rollout


def test_a_bad_version_is_red_with_its_cause_in_a_second_line() -> None:
    rollout = make_way_back(back=2, met=2, never=2, running=False)
    row = page().split(f'id="rollout-{rollout.pk}"', 1)[1]
    assert "Failure rate was 95 %, limit 5 %. Decided by this guard, no person asked." in row
    assert 'class="pill is-bad"' in row
    assert 'class="f-hatch-bad"' in row.split("mini-track", 1)[1]


def test_what_a_person_called_back_or_aborted_names_the_person_and_is_not_red() -> None:
    make_way_back(back=2, met=2, never=2, running=False, by="lin")
    aborted("logs")
    text = page()
    assert "Reason: “Not what we wanted”. Decided by lin." in text
    assert "Aborted by lin: “The window closes”." in text
    assert 'class="pill is-bad"' not in text


def test_a_draft_is_drafted_not_started() -> None:
    make_rollout(make_config("edge", 2)[1], state="draft", phases=("pending",) * 3)
    assert "drafted" in page().split('<tr id="rollout-', 1)[1]


def test_the_last_30_days_are_one_line() -> None:
    for place, minutes in enumerate((10, 20, 60)):
        succeeded(f"c{place}", timedelta(minutes=minutes))
    make_way_back(back=2, met=2, never=2, running=False)
    Rollout.objects.filter(state="rolled_back").update(finished_at=timezone.now())
    old = succeeded("old", timedelta(minutes=5))
    Rollout.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=31))
    text = page()
    assert "3 passed" in text
    assert "1 rolled back" in text
    assert "20 min median time" in text


def test_it_is_narrowed_by_config_person_outcome_and_words() -> None:
    mine = str(succeeded("edge-a", timedelta(minutes=1), by="ann").pk)
    other = str(succeeded("edge-b", timedelta(minutes=1), by="bob").pk)
    failed = str(make_way_back(back=2, met=2, never=2, running=False).pk)
    stopped = str(aborted("logs").pk)
    client = sign_in("vera", "viewer")
    assert shown(client, "?config=edge-a") == {mine}
    assert shown(client, "?by=bob") == {other}
    assert shown(client, "?outcome=failed") == {failed}
    assert shown(client, "?outcome=aborted") == {stopped}
    assert shown(client, "?outcome=called_back") == set()
    assert shown(client, "?q=edge-b") == {other}
    assert shown(client, f"?q=R-{int(failed):04d}") == {failed}
