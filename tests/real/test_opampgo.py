"""An agent on the opamp-go client, over WebSocket and over HTTP polling (interop.md section 2)."""

from __future__ import annotations

import uuid

import pytest

from accounts.actor import SYSTEM
from agents.actions.command import send_custom_message
from agents.models import Agent, ComponentSet, ConfigStatus, Delivery, Quarantine
from tests.clients.opampgo import (
    OPAMP_SETTINGS,
    ORDINARY,
    OWN_METRICS,
    SETTINGS_STATUS,
    OpampGoAgent,
)
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, hash_of

pytestmark = pytest.mark.real

APPLIED, FAILED = 1, 3  # ConnectionSettingsStatuses of OpAMP
GOOD = "receivers: {nop: {}}\n# good\n"
POISON = "receivers: {nop: {}}\n# poison\n"


@pytest.fixture(scope="module", params=["ws", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def url(transport: str, gateway: Gateway) -> str:
    return gateway.ws_url if transport == "ws" else gateway.http_url


@pytest.fixture(scope="module")
def agent(lasting: Clients, url: str) -> OpampGoAgent:
    return lasting.opampgo(
        url, poll="1s", labels={"env": "go"}, arguments=["-refuse", "poison", "-fail-text", "ugh"]
    )


@pytest.fixture(scope="module")
def seen(agent: OpampGoAgent) -> Recorded:
    return Recorded(agent.uid).wait_connected().wait_healthy()


def test_it_connects_and_says_who_it_is(seen: Recorded, transport: str) -> None:
    agent = seen.agent

    assert seen.status.transport == transport
    assert agent.capabilities == ORDINARY
    assert agent.labels["service.name"] == "opampagent"
    assert agent.labels["env"] == "go"
    assert seen.body("health")["components"]["pipeline:test"]["healthy"] is True


def test_its_components_are_asked_for(seen: Recorded) -> None:
    def names() -> set[str]:
        known = ComponentSet.objects.filter(pk=seen.agent.components_hash).first()
        return set(known.names) if known else set()

    found = eventually(names, "the components", seen=seen.summary)
    assert {"receiver:otlp", "processor:batch", "exporter:debug"} <= found


def test_a_good_config_arrives_byte_by_byte_and_is_confirmed(
    agent: OpampGoAgent, seen: Recorded
) -> None:
    seen.offer(GOOD)
    delivery = seen.wait_settled(GOOD)

    assert delivery.state == Delivery.State.APPLIED
    assert agent.said("remote_config", hash=hash_of(GOOD))[0]["body"] == GOOD
    eventually(lambda: "# good" in str(seen.body("effective_config")), "the effective config")


def test_a_refused_config_fails_with_the_agents_words(agent: OpampGoAgent, seen: Recorded) -> None:
    seen.offer(GOOD)
    seen.wait_settled(GOOD)

    seen.offer(POISON)
    failed = seen.wait_settled(POISON)

    assert (failed.state, failed.error) == (Delivery.State.FAILED, "ugh")
    assert seen.status.running_hash == hash_of(GOOD)


def test_health_that_turns_bad_and_good_is_followed(agent: OpampGoAgent, seen: Recorded) -> None:
    agent.do("health", healthy=False, error="the disk is full")
    assert seen.wait_unhealthy().status.health_error == "the disk is full"

    agent.do("health", healthy=True)
    seen.wait_healthy()


def test_a_restart_command_reaches_it(agent: OpampGoAgent, seen: Recorded) -> None:
    seen.restart()

    assert agent.wait("command")["type"] == "CommandType_Restart"


def test_a_custom_message_reaches_it(clients: Clients, url: str) -> None:
    agent = clients.opampgo(url, poll="1s", arguments=["-custom-capability", "test.greeting"])
    seen = Recorded(agent.uid).wait_connected()
    eventually(lambda: seen.agent.custom_capabilities, "its capability", seen=seen.summary)

    send_custom_message(
        agent_ids=[seen.agent.pk], capability="test.greeting", type="hi", data=b"there", by=SYSTEM
    )

    said = agent.wait("custom")
    assert (said["capability"], said["type"], said["data"]) == ("test.greeting", "hi", "there")


def test_a_new_uid_is_taken_over(clients: Clients, url: str) -> None:
    agent = clients.opampgo(url, poll="1s")
    seen = Recorded(agent.uid).wait_connected()
    row = seen.agent.pk

    new = seen.rename()

    agent.wait("renamed", uid=new)
    known = Agent.objects.filter(pk=row, instance_uid=uuid.UUID(new))
    eventually(known.exists, "the uid", seen=seen.summary)


def test_a_lost_agent_is_offline(clients: Clients, url: str, transport: str) -> None:
    """Over HTTP nobody says good-bye: only the polls that do not come tell."""
    agent = clients.opampgo(url, poll="1s")
    seen = Recorded(agent.uid).wait_connected()

    agent.do("crash")
    agent.process.wait()

    if transport == "ws":
        seen.wait_offline()
        assert seen.sessions()[-1].disconnected_at is not None
    else:
        assert seen.is_connected()


def test_an_agent_that_fell_back_by_itself_is_not_fought(clients: Clients, url: str) -> None:
    """FAILED(B), then APPLIED(A): it runs A, and B is not offered to it again (spec section 4)."""
    agent = clients.opampgo(url, poll="1s", arguments=["-refuse", "poison", "-fall-back"])
    seen = Recorded(agent.uid).wait_connected()
    seen.offer(GOOD)
    seen.wait_settled(GOOD)

    seen.offer(POISON)
    seen.wait_status(GOOD, ConfigStatus.APPLIED)

    assert seen.wait_settled(POISON).state == Delivery.State.FAILED
    assert seen.status.running_hash == hash_of(GOOD)
    kept = Quarantine.objects.filter(agent=seen.agent, config_hash=hash_of(POISON), lifted_at=None)
    eventually(kept.exists, "the refusal is remembered", seen=seen.summary)
    agent.do("labels", labels={"env": "poked"})
    eventually(
        lambda: seen.agent.labels.get("env") == "poked", "a later message", seen=seen.summary
    )
    assert len(agent.said("remote_config", hash=hash_of(POISON))) == 1


def test_an_agent_that_takes_no_configs_gets_none(clients: Clients, url: str) -> None:
    agent = clients.opampgo(url, poll="1s", capabilities=0x1 | 0x800 | 0x2000)
    seen = Recorded(agent.uid).wait_connected()

    seen.offer(GOOD)
    agent.do("health", healthy=False, error="still talking")
    seen.wait_unhealthy()

    assert not agent.said("remote_config")
    assert seen.deliveries(GOOD)[-1].sent_at is None


def test_settings_it_can_use_are_applied_by_its_own_word(clients: Clients, url: str) -> None:
    settings = OPAMP_SETTINGS | OWN_METRICS | SETTINGS_STATUS
    agent = clients.opampgo(url, poll="1s", capabilities=ORDINARY | settings)
    seen = Recorded(agent.uid).wait_connected()
    before = len(seen.sessions())

    wanted = seen.offer_settings(
        {
            "opamp": {
                "destination_endpoint": url,
                "heartbeat_interval_seconds": 2,
                "headers": {"x-rotated": "yes"},
            },
            "own_metrics": {"destination_endpoint": "http://127.0.0.1:9/v1/metrics"},
        }
    )

    offered = agent.wait("settings", hash=wanted)
    assert offered["own_metrics"] == "http://127.0.0.1:9/v1/metrics"
    agent.wait("reconnected", url=url)
    eventually(
        lambda: (seen.status.settings_hash, seen.status.settings_status) == (wanted, APPLIED),
        "the settings are applied",
        seen=seen.summary,
    )
    seen.wait_connected()
    assert len(seen.events("settings_offered")) == 1
    assert len(seen.sessions()) >= before


def test_settings_it_cannot_use_fail_with_the_reason(clients: Clients, url: str) -> None:
    capabilities = ORDINARY | OPAMP_SETTINGS | SETTINGS_STATUS
    agent = clients.opampgo(url, poll="1s", capabilities=capabilities)
    seen = Recorded(agent.uid).wait_connected()

    wanted = seen.offer_settings(
        {
            "opamp": {
                "destination_endpoint": url,
                "heartbeat_interval_seconds": 2,
                "certificate": {"cert": "no certificate", "private_key": "no key"},
            }
        }
    )

    eventually(
        lambda: (seen.status.settings_hash, seen.status.settings_status) == (wanted, FAILED),
        "the settings are refused",
        seen=seen.summary,
    )
    assert "PEM" in seen.status.settings_error
    assert seen.is_connected()
