"""The agents of a rollout, one by one: outcome, answer, return, and totals in the filters."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.pages.rollouts import targets
from console.pages.rollouts.agents_list import rows_of
from rollouts.models import Rollout
from tests.console.pages.markup import markup
from tests.console.pages.rollbacks.rows import ERROR, make_way_back
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db


def page(rollout: Rollout, query: str = "") -> str:
    reader = sign_in(f"reader-{query}", "viewer")
    return markup(reader.get(f"/rollouts/{rollout.pk}/agents/{query}"))


def test_who_came_back_says_when() -> None:
    rollout = make_way_back(back=2, met=3, never=1)
    found = targets.told_of(rollout).select_related("agent", "phase").order_by("pk")
    rows = rows_of(rollout, list(found))
    assert [row.back_at is not None for row in rows] == [True, True, False, False]
    assert [row.kind for row in rows] == ["failed_back", "failed_back", "coming_back", "todo"]
    text = page(rollout)
    for heading in ("Outcome", "Answered", "Back at"):
        assert f">{heading}</th>" in text
    assert "Confirmed" not in text


def test_one_error_of_many_is_said_once() -> None:
    text = page(make_way_back(back=0, met=4, never=1))
    assert text.count('class="err"') == 1
    assert text.count("the same") == 3
    assert ERROR.split('"')[0].strip("'") in text.replace("&#x27;", "'").replace("&quot;", '"')


def test_filters_say_how_many_there_are_and_nothing_that_is_not() -> None:
    rollout = make_way_back(back=2, met=3, never=5)
    assert {k: n for k, n in targets.counted(rollout, targets.told_of(rollout)).items() if n} == {
        "coming_back": 1,
        "failed_back": 2,
        "todo": 5,
    }
    text = page(rollout)
    assert "Failed, back (2)" in text
    assert "canary (3)" in text
    assert 'value="applied"' not in text
    assert "2 agents" in page(rollout, "?state=failed_back")
    assert "No agent is in this state." in page(rollout, "?state=applied")


def test_a_rollout_that_goes_on_has_no_column_of_returns() -> None:
    rollout = make_way_back(back=0, met=2, never=1)
    rollout.rollback.delete()
    assert "Back at" not in page(rollout)


def test_it_costs_the_same_however_many_agents() -> None:
    client = sign_in("vera", "viewer")
    rollout = make_way_back(back=20, met=40, never=20)
    client.get(f"/rollouts/{rollout.pk}/agents/")
    with CaptureQueriesContext(connection) as taken:
        client.get(f"/rollouts/{rollout.pk}/agents/")
    assert len(taken) <= 14
