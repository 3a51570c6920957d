"""The quarantine page: a version is one row, its agents are counted, a dialog lifts it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from agents.models import Agent, Quarantine
from tests.console.pages.markup import markup
from tests.make.agents import keep, make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db

PAGE = "/settings/quarantine/"
ERROR = "processors::batch::send_batch_size: too many"


def kept(name: str = "edge", agents: int = 20, *, fleet: bool = True) -> str:
    """Quarantine a version for agents that refused it and, by default, for the fleet; return its hash."""
    config_hash = make_config(name, 1)[0].config_hash
    for agent in make_fleet(agents):
        keep(config_hash, agent, "failed", ERROR)
    if fleet:
        keep(config_hash, None, "rolled_back", "the canary refused it")
    return config_hash


def test_a_version_is_one_row_that_says_from_whom_it_is_kept() -> None:
    config_hash = kept()
    page = markup(sign_in("op", "operator").get(PAGE))
    assert page.count('<article class="kept">') == 1
    for said in ("edge v1", config_hash[:12], "whole fleet", "20 agents that refused it", "R-0001"):
        assert said in page


def test_each_reason_is_counted_apart() -> None:
    config_hash = kept(agents=1, fleet=False)
    for outcome in ("timed_out", "fell_back", "by_hand", "rolled_back"):
        keep(config_hash, make_fleet(1)[0], outcome)
    page = markup(sign_in("op", "operator").get(PAGE))
    assert "1 agent that refused it" in page
    assert "1 agent that did not answer" in page
    assert "1 agent that fell back by itself" in page
    assert "1 agent that was rolled back" in page
    assert "1 agent that a person chose" in page


def test_what_the_agents_said_is_folded_under_it() -> None:
    kept()
    page = markup(sign_in("op", "operator").get(PAGE))
    assert page.count('class="error-text"') == 1
    assert '<a href="/configs/edge/v/1/#L6">line 6</a>' in page


def test_each_agent_is_listed_on_a_page_of_its_own() -> None:
    config_hash = kept(agents=3)
    page = markup(sign_in("op", "operator").get(f"{PAGE}{config_hash}/"))
    assert page.count('<th scope="row">') == 4
    for agent in Agent.objects.all():
        assert agent.name in page


def test_all_of_a_version_is_lifted_at_once() -> None:
    config_hash = kept(agents=3)
    other = kept("gateway", agents=1)
    client = sign_in("chen", "approver")
    data = {"scope": "all", "upto": Quarantine.objects.latest("pk").pk, "reason": "Fixed upstream."}
    assert client.post(f"{PAGE}{config_hash}/lift/", data).status_code == 303
    assert not Quarantine.objects.filter(config_hash=config_hash, lifted_at=None).exists()
    assert Quarantine.objects.filter(config_hash=other, lifted_at=None).count() == 2
    event = AuditEvent.objects.get(act="quarantine.lift")
    assert event.details["lifted"] == 4
    assert "edge v1" not in markup(client.get(PAGE))
    assert "4 quarantines, all lifted" in markup(client.get(f"{PAGE}?all=1"))


def test_the_fleet_may_be_freed_and_those_that_refused_it_not() -> None:
    config_hash = kept(agents=3)
    data = {"scope": "fleet", "upto": Quarantine.objects.latest("pk").pk, "reason": "They differ."}
    sign_in("chen", "approver").post(f"{PAGE}{config_hash}/lift/", data)
    assert Quarantine.objects.filter(lifted_at=None, agent=None).count() == 0
    assert Quarantine.objects.filter(lifted_at=None).count() == 3


def test_one_agent_is_freed() -> None:
    config_hash = kept(agents=3)
    agent = Agent.objects.order_by("pk")[1]
    client = sign_in("chen", "approver")
    url = f"{PAGE}{config_hash}/lift/"
    page = markup(client.get(f"{url}?agent={agent.instance_uid}", headers={"HX-Target": "dialog"}))
    assert f"<b>{agent.name}</b>" in page
    data = {
        "agent": agent.instance_uid,
        "upto": Quarantine.objects.latest("pk").pk,
        "reason": "Ok.",
    }
    assert client.post(url, data).status_code == 303
    assert Quarantine.objects.exclude(lifted_at=None).get().agent == agent


def test_what_came_after_the_dialog_was_opened_stays() -> None:
    config_hash = kept(agents=2)
    seen = Quarantine.objects.latest("pk").pk
    late = keep(config_hash, make_fleet(1)[0], "failed", ERROR)
    data = {"scope": "all", "upto": seen, "reason": "Fixed upstream."}
    sign_in("chen", "approver").post(f"{PAGE}{config_hash}/lift/", data)
    assert [q.pk for q in Quarantine.objects.filter(lifted_at=None)] == [late.pk]


@pytest.mark.parametrize(
    ("role", "data", "status"),
    [
        ("approver", {"scope": "all", "upto": 9_999_999}, 422),
        ("approver", {"scope": "all", "reason": "Fixed upstream."}, 422),
        ("approver", {"upto": 9_999_999, "reason": "Ok.", "agent": "not-an-id"}, 404),
        ("operator", {"scope": "all", "upto": 9_999_999, "reason": "Fixed upstream."}, 403),
    ],
)
def test_nothing_is_lifted_without(role: str, data: dict[str, object], status: int) -> None:
    config_hash = kept(agents=1)
    answer = sign_in("chen", role).post(f"{PAGE}{config_hash}/lift/", data)
    assert answer.status_code == status
    assert not Quarantine.objects.exclude(lifted_at=None).exists()


def test_lifting_twice_says_that_nothing_is_left() -> None:
    config_hash = kept(agents=1)
    client = sign_in("chen", "approver")
    data = {"upto": Quarantine.objects.latest("pk").pk, "reason": "Fixed upstream."}
    client.post(f"{PAGE}{config_hash}/lift/", data)
    answer = client.post(f"{PAGE}{config_hash}/lift/", data)
    assert answer.status_code == 409
    assert "Nothing of this is quarantined any more." in markup(answer)


def test_a_hash_that_was_never_quarantined_is_not_found() -> None:
    client = sign_in("chen", "approver")
    for url in (f"{PAGE}{'a' * 64}/", f"{PAGE}nothing/", f"{PAGE}{'a' * 64}/lift/"):
        assert client.get(url).status_code == 404


def test_the_list_costs_the_same_however_many() -> None:
    client = sign_in("op", "operator")
    client.get(PAGE)

    def asked() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get(PAGE).status_code == 200
        return len(taken)

    kept("edge", 3)
    asked()  # reads the texts of the configs once
    few = asked()
    kept("gateway", 9)
    kept("logs", 9)
    asked()
    assert asked() <= few <= 12
