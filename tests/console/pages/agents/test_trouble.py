"""What a page and the API say of an agent that fell silent, or that refuses everything."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, AgentStatus, Delivery, GatewayLease, Quarantine
from rollouts.models import ConfigVersion, Target
from tests.console.api.people import by_token
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_rollout
from tests.make.times import NOW

pytestmark = pytest.mark.django_db


def words(client: Client, url: str) -> str:
    """Return the text of a page, without its markup."""
    page = client.get(url).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def shown(agent: Agent) -> dict[str, object]:
    answer: dict[str, object] = (
        by_token("viewer").get(f"/api/v1/agents/{agent.instance_uid}").json()
    )
    return answer


@pytest.fixture
def wedged() -> Agent:
    versions = make_config("edge", 2, make_user("author-1", "author"))
    agent, _ = make_fleet(2, running=versions[0].config_hash)
    AgentStatus.objects.filter(agent=agent).update(
        running_hash="", former_hash=versions[0].config_hash, wedged_since=versions[1].config_hash
    )
    return agent


def test_the_page_says_since_when_it_refuses_and_what_to_do(wedged: Agent) -> None:
    page = words(sign_in("viewer-1", "viewer"), f"/agents/{wedged.instance_uid}/")
    assert (
        "Refuses everything since edge v2. Remove the stored config on its host and restart it."
        in page
    )


def test_it_needs_the_reader(wedged: Agent) -> None:
    page = words(sign_in("viewer-1", "viewer"), "/")
    assert f"{wedged.name} refuses every config since it met edge v2" in page
    assert "Nothing needs you" not in page


def test_the_api_does_not_say_that_it_runs_the_old_one(wedged: Agent) -> None:
    status = AgentStatus.objects.get(agent=wedged)
    answer = shown(wedged)
    assert answer["config_hash"] == ""
    assert answer["refuses_everything_since"] == status.wedged_since


def test_others_do_not_need_the_reader() -> None:
    make_fleet(2, running="ab" * 32)
    assert "Nothing needs you" in words(sign_in("viewer-1", "viewer"), "/")


def test_silence_is_told_from_an_end(wedged: Agent) -> None:
    silent, ended = make_fleet(2)
    for agent, reason in ((silent, "silent"), (ended, "agent_disconnect")):
        AgentStatus.objects.filter(agent=agent).update(
            connected=False, left_reason=reason, last_seen_at=NOW
        )
    assert str(shown(silent)["no_word_since"]).startswith(NOW.strftime("%Y-%m-%dT%H:%M"))
    assert shown(ended)["no_word_since"] is None
    client = sign_in("viewer-1", "viewer")
    assert "No word since" in words(client, f"/agents/{silent.instance_uid}/")
    assert "No word since" not in words(client, f"/agents/{ended.instance_uid}/")


def test_who_confirms_by_the_effective_config_is_said() -> None:
    (version,) = make_config("edge", 1, make_user("author-1", "author"))
    quiet, telling = make_fleet(2, running=version.config_hash)
    Agent.objects.filter(pk=quiet.pk).update(capabilities=0x2 | 0x4)
    Agent.objects.filter(pk=telling.pk).update(capabilities=0x2 | 0x4 | 0x1000)
    for agent, source in ((quiet, "effective config"), (telling, "")):
        Delivery.objects.create(
            agent=agent,
            config_hash=version.config_hash,
            cause="rollout:1",
            state="applied",
            offered_at=NOW,
            settled_at=NOW,
            confirmed_by=source,
        )
    client = sign_in("viewer-1", "viewer")
    page = words(client, f"/agents/{quiet.instance_uid}/")
    assert "applied confirmed by effective config" in page
    assert "Applied by effective config" in page
    assert "by effective config" not in words(client, f"/agents/{telling.instance_uid}/")
    answer = by_token("viewer").get(f"/api/v1/agents/{quiet.instance_uid}/deliveries").json()
    assert answer["deliveries"][0]["confirmed_by"] == "effective config"


def test_the_list_says_of_each_what_its_status_word_hides(wedged: Agent) -> None:
    one, two = ConfigVersion.objects.order_by("number")
    silent, fallen, drifted = make_fleet(3, running=two.config_hash)
    AgentStatus.objects.filter(agent=silent).update(connected=False, left_reason="silent")
    AgentStatus.objects.filter(agent__in=[fallen, drifted]).update(running_hash=one.config_hash)
    Quarantine.objects.create(
        agent=fallen, config_hash=two.config_hash, outcome="fell_back", by="agent", at=NOW
    )
    page = words(sign_in("viewer-1", "viewer"), "/agents/")
    assert page.count("Fell silent: it did not say goodbye.") == 1
    assert page.count("Fell back by itself from what it should run.") == 1
    assert page.count("Refuses everything: remove the stored config on its host") == 1


@pytest.mark.parametrize(
    ("state", "word", "error"),
    [
        ("fell_back", "Fell back by itself", "fell back to v1 by itself"),
        ("lost", "Lost", "not connected any more since the change"),
        ("timed_out", "Did not answer", "did not confirm in time"),
    ],
)
def test_an_agent_in_a_rollout_says_in_its_own_word_how_it_failed(
    state: str, word: str, error: str
) -> None:
    versions = make_config("edge", 2, make_user("author-1", "author"))
    (agent,) = make_fleet(1, running=versions[0].config_hash)
    rollout = make_rollout(versions[1], agents=[agent])
    Target.objects.filter(agent=agent).update(state=state, error=error, active=True)
    client = sign_in("viewer-1", "viewer")
    for url in (f"/agents/{agent.instance_uid}/", f"/rollouts/{rollout.pk}/agents/"):
        page = words(client, url)
        assert word in page
        assert error in page
    answer = shown(agent)
    assert (answer["rollout_state"], answer["rollout_error"]) == (state, error)


def test_who_lost_its_gateway_is_not_on_time() -> None:
    [agent] = make_fleet(1)
    GatewayLease.objects.update(renewed_at=timezone.now() - timedelta(hours=1))
    for url in ("/agents/", f"/agents/{agent.instance_uid}/"):
        page = words(sign_in("viewer-" + str(len(url)), "viewer"), url)
        assert "Offline" in page
        assert "on time" not in page
