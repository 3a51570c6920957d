"""The page that begins a rollback by selector: counted first, done only as it was counted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Delivery
from rollouts.models import ConfigVersion, Rollback
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
PAGE = "/rollbacks/new/"
REASON = "The queues grow since noon."


def delivered(version: ConfigVersion, agents: list[Agent]) -> None:
    """Let the agents have applied a version some time ago."""
    Delivery.objects.bulk_create(
        Delivery(
            agent=agent,
            config_hash=version.config_hash,
            cause="rollout:1",
            state="applied",
            offered_at=timezone.now(),
        )
        for agent in agents
    )


@pytest.fixture
def agents() -> list[Agent]:
    """Five agents that run v3: three had v2 before, two v1."""
    versions = make_config("edge", 3)
    found = make_fleet(5, running=versions[2].config_hash, env="staging")
    delivered(versions[1], found[:3])
    delivered(versions[0], found[3:])
    return found


def counted(client: Client, **changes: str) -> dict[str, str]:
    """Count, and return the form as a browser would send it next."""
    text = markup(client.post(PAGE, {"act": "count", "q": "*", "reason": REASON, **changes}))
    hidden = dict(re.findall(r'<input type="hidden" name="(count|seen)" value="([^"]*)"', text))
    return {"act": "begin", "q": "*", "reason": REASON, **changes, **hidden}


def test_shows_who_goes_from_what_to_what(agents: list[Agent]) -> None:
    text = markup(sign_in("op", "operator").get(PAGE, {"q": "*"}))
    plain = " ".join(re.sub("<[^>]+>", " ", text).split())
    assert "3 agents edge v3 → to v2" in plain
    assert "2 agents edge v3 → to v1" in plain
    assert "Roll back 5 agents" in plain


def test_nothing_can_be_done_before_it_is_counted(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    assert 'value="begin"' not in markup(client.get(PAGE))
    answer = client.post(PAGE, {"act": "begin", "q": "*", "reason": REASON})
    assert answer.status_code == 422
    assert "Count first" in markup(answer)
    assert not Rollback.objects.exists()


def test_what_was_counted_is_done(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    answer = client.post(PAGE, counted(client))
    assert answer.status_code == 303
    assert Rollback.objects.get().targets.count() == 5


def test_a_changed_fleet_is_shown_and_asked_about_again(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    form = counted(client)
    Agent.objects.filter(pk=agents[0].pk).update(retired_at=timezone.now())
    answer = client.post(PAGE, form)
    text = markup(answer)
    assert answer.status_code == 409
    assert "4 agents would go back now, you saw 5" in text
    assert "Roll back 4 agents" in text
    assert REASON in text
    assert not Rollback.objects.exists()


def test_another_selection_than_was_counted_is_not_done(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    answer = client.post(PAGE, counted(client) | {"q": "region=r0"})
    assert answer.status_code == 409
    assert not Rollback.objects.exists()


def test_other_versions_than_were_shown_are_not_done(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    changed = counted(client) | {"to": "version", "config": "edge", "version": "1"}
    answer = client.post(PAGE, changed)
    assert answer.status_code == 409
    assert "other versions than you saw" in markup(answer)


@pytest.mark.parametrize(("typed", "status"), [("", 422), ("4", 422), ("5", 303)])
def test_in_production_the_number_is_typed(agents: list[Agent], typed: str, status: int) -> None:
    for agent in agents:
        agent.labels = {**agent.labels, "env": "prod"}
    Agent.objects.bulk_update(agents, ["labels"])
    client = sign_in("op", "operator")
    form = counted(client)
    answer = client.post(PAGE, form | {"again": typed})
    assert answer.status_code == status
    assert Rollback.objects.exists() is (status == 303)
    if status == 422:
        assert "Type 5, the number of agents that go back." in markup(answer)


def test_goes_to_one_version_of_a_config(agents: list[Agent]) -> None:
    client = sign_in("op", "operator")
    form = counted(client, to="version", config="edge", version="1")
    client.post(PAGE, form)
    rollback = Rollback.objects.get()
    v1 = ConfigVersion.objects.get(number=1).config_hash
    assert set(rollback.targets.values_list("to_hash", flat=True)) == {v1}


def wrong(**asked: str) -> dict[str, Any]:
    return {"q": "*", **asked}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (wrong(q="region in ("), "^"),
        (wrong(to="version"), "Write the number of the version."),
        (wrong(to="version", config="edge", version="9"), "edge has no version 9."),
        (wrong(to="version", config="edge", version="x"), "Write the number of the version."),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(
    agents: list[Agent], asked: dict[str, str], says: str
) -> None:
    client = sign_in("op", "operator")
    text = markup(client.post(f"{PAGE}count/", asked))
    assert says in text
    assert 'value="begin"' not in text


def test_a_viewer_counts_and_cannot_act(agents: list[Agent]) -> None:
    client = sign_in("vera", "viewer")
    form = counted(client)
    assert client.post(PAGE, form).status_code == 403
    assert not Rollback.objects.exists()


def test_the_enter_key_counts(agents: list[Agent]) -> None:
    text = markup(sign_in("op", "operator").get(PAGE, {"q": "*"}))
    form = text.split('<form class="cols-main"', 1)[1]
    first = re.search(r"<button[^>]*>", form)
    assert first is not None
    assert 'value="count"' in first[0]
