"""The page of the audit log: seconds, words, menus, days, and the export of what is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client

from accounts import audit
from accounts.actor import SYSTEM, Actor
from accounts.models import AuditEvent, User
from tests.console.pages.markup import markup
from tests.make.people import make_user, sign_in

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer")


def write(act: str, by: Actor = SYSTEM, **fields: Any) -> AuditEvent:
    known: dict[str, Any] = {"object_kind": "rollout", "object_id": "7", "object_name": "R-0007"}
    with transaction.atomic():
        return audit.record(actor=by, act=act, **{**known, **fields})


def shown(client: Client, query: str = "") -> set[int]:
    return {event.pk for event in client.get(f"/audit/{query}").context["page"].rows}


def test_a_row_says_what_was_done_in_words_with_seconds(client: Client) -> None:
    event = write("rollouts.gate_critical", reason="too many refused it")
    page = markup(client.get("/audit/"))
    assert "gate failed" in page
    assert f"{event.at:%H:%M:%S}</time>" in page
    assert '<a href="/rollouts/7/">R-0007</a>' in page


def test_the_day_stands_beside_a_time_of_another_day(client: Client) -> None:
    write("rollouts.start", at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=BERLIN))
    assert "3 Feb, 03:05:06</time>" in markup(client.get("/audit/"))


def test_menus_keep_what_is_asked_for(client: Client) -> None:
    write("rollouts.start", object_kind="moon")
    page = markup(client.get("/audit/?act=rollouts.start&kind=moon&actor=nobody"))
    assert '<option value="rollouts.start" selected>started</option>' in page
    assert '<option value="moon" selected>moon</option>' in page
    assert '<option value="nobody" selected>nobody</option>' in page


def test_an_area_is_everything_about_it(client: Client) -> None:
    mine = {write("rollouts.start").pk, write("rollouts.pause").pk}
    write("rollbacks.rollback_done")
    assert shown(client, "?act=rollouts.") == mine
    assert len(shown(client, "?act=rollouts.pause")) == 1


def test_what_a_token_did_is_found_under_its_owner(client: Client) -> None:
    lin = make_user("lin", "operator")
    mine = {
        write("rollouts.start", Actor.of(lin)).pk,
        write("rollouts.pause", Actor.of(lin, "ci")).pk,
    }
    write("rollouts.pause")
    assert shown(client, "?actor=lin") == mine


def test_days_are_those_of_the_reader_and_both_included(client: Client) -> None:
    User.objects.filter(username="vera").update(time_zone="Europe/Berlin")
    midnight = datetime(2026, 11, 24, tzinfo=BERLIN)
    second, day = timedelta(seconds=1), timedelta(days=1)
    moments = [midnight - second, midnight, midnight + day - second, midnight + day]
    pks = [write("rollouts.start", at=at).pk for at in moments]
    assert shown(client, "?since=2026-11-24&until=2026-11-24") == set(pks[1:3])
    assert shown(client, "?until=2026-11-23") == set(pks[:1])


@pytest.mark.parametrize("day", ["yesterday", "0001-01-01", "9999-12-31", "2026-11-31"])
def test_a_day_that_is_none_is_said_and_narrows_nothing(client: Client, day: str) -> None:
    event = write("rollouts.start")
    answer = client.get(f"/audit/?since={day}")
    assert "Write a day like 2026-11-24." in markup(answer)
    assert event.pk in {row.pk for row in answer.context["page"].rows}


def test_one_request_can_be_looked_at_alone(client: Client) -> None:
    row = AuditEvent.objects.create(
        at=datetime.now(BERLIN), actor_kind="human", actor_name="lin", act="agents.restart",
        object_kind="agent", object_id="1", request_id="ab12",
    )  # fmt: skip
    write("rollouts.start")
    assert shown(client, "?request=ab12") == {row.pk}


def test_the_export_is_what_the_filter_means(client: Client) -> None:
    write("rollouts.start", reason="because")
    write("rollouts.pause")
    lines = client.get("/audit/?act=rollouts.start&format=csv").getvalue().decode().splitlines()
    assert len(lines) == 2
    assert "because" in lines[1]


def test_pages_follow_each_other_under_the_filter(client: Client) -> None:
    for _ in range(60):
        write("rollouts.start")
    page = client.get("/audit/?act=rollouts.start").context["page"]
    assert len(page.rows) == 50
    rest = client.get(f"/audit/?act=rollouts.start&after={page.older}").context["page"]
    assert len(rest.rows) == 10


def test_a_name_that_plays_tricks_is_shown_plainly(client: Client) -> None:
    write("login.failed", Actor(name="\u202e<b>x", kind=AuditEvent.ActorKind.HUMAN))
    page = markup(client.get("/audit/"))
    assert "\u202e" not in page
    assert "<b>x" not in page
