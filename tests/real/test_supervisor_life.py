"""What happens around a supervised collector: deaths, restarts, renames, a server that goes away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.models import Agent, AgentAlias, ConfigStatus, Delivery
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, recorded_of

pytestmark = pytest.mark.real

BASE = marked_config("base")


@pytest.fixture(scope="module")
def supervised(lasting: Clients, gateway: Gateway) -> SupervisedCollector:
    return lasting.supervised(gateway.ws_url, labels={"env": "life"})


@pytest.fixture(scope="module")
def seen(supervised: SupervisedCollector) -> Recorded:
    found = recorded_of(supervised).wait_healthy()
    found.offer(BASE)
    found.wait_settled(BASE)
    return found


@pytest.fixture
def own_gateway(store: None, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that a test may stop."""
    own = Gateway(tmp_path / "gateway.log")
    try:
        yield own.start()
    finally:
        own.kill()


def test_a_killed_collector_is_seen_in_its_health_alone(
    supervised: SupervisedCollector, seen: Recorded
) -> None:
    config_at = seen.wait_healthy().status.config_at
    pid = supervised.collector_pid()

    supervised.kill_collector()
    error = seen.wait_unhealthy().status.health_error

    assert "exit code" in error
    seen.wait_healthy()
    assert supervised.collector_pid() != pid
    assert seen.status.config_at == config_at
    assert seen.status.config_status == ConfigStatus.APPLIED


def test_a_restart_command_gives_a_new_process_that_is_healthy_again(
    supervised: SupervisedCollector, seen: Recorded
) -> None:
    pid = supervised.collector_pid()

    seen.restart()

    eventually(lambda: supervised.collector_pid() != pid, "a new process", seen=supervised.log_tail)
    seen.wait_healthy()
    supervised.wait_runs("base")


def test_a_renamed_agent_is_the_same_agent(clients: Clients, gateway: Gateway) -> None:
    supervised = clients.supervised(gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()
    seen.offer(BASE)
    seen.wait_settled(BASE)
    agent_id = seen.agent.pk

    new = seen.rename()

    known = Agent.objects.filter(pk=agent_id, instance_uid=uuid.UUID(new))
    eventually(known.exists, "the new uid", seen=seen.summary)
    assert AgentAlias.objects.get(instance_uid=seen.uid).agent_id == agent_id
    eventually(lambda: supervised.instance_uid == new, "the new uid in its store")
    seen.wait_healthy()
    supervised.wait_runs("base")
    assert seen.deliveries(BASE)[-1].state == Delivery.State.APPLIED


def test_two_hosts_from_one_image_become_two_agents(clients: Clients, gateway: Gateway) -> None:
    """A copied storage directory is the main source of one uid on two hosts."""
    first = clients.supervised(gateway.ws_url)
    shared = recorded_of(first).wait_healthy().uid.hex

    second = clients.supervised(gateway.ws_url, copy_of=first)

    eventually(
        lambda: {first.instance_uid, second.instance_uid} > {shared},
        "one of them has a uid of its own",
        timeout_s=30,
        seen=lambda: (first.instance_uid, second.instance_uid),
    )
    one, other = recorded_of(first).wait_healthy(), recorded_of(second).wait_healthy()
    assert one.agent.pk != other.agent.pk
    eventually(lambda: one.is_connected() and other.is_connected(), "both are connected")


def test_a_server_that_was_away_knows_everything_still(
    clients: Clients, own_gateway: Gateway
) -> None:
    """The first message after a reconnect says only uid, sequence number and capabilities."""
    supervised = clients.supervised(own_gateway.ws_url, labels={"env": "away"})
    seen = recorded_of(supervised).wait_healthy()
    seen.offer(BASE)
    seen.wait_settled(BASE)
    before = (seen.agent.labels, seen.status.config_hash, seen.body("health"))

    own_gateway.stop()
    seen.wait_offline()
    own_gateway.start()
    seen.wait_connected().wait_healthy()

    status = seen.status
    assert (seen.agent.labels, status.config_hash) == before[:2]
    assert status.config_status == ConfigStatus.APPLIED
    assert len(seen.deliveries(BASE)) == 1
    assert Agent.objects.filter(labels__contains={"env": "away"}).count() == 1


def test_a_gateway_that_stops_sends_nobody_away_for_long(
    clients: Clients, own_gateway: Gateway
) -> None:
    """A client comes back the moment it is let go. An answer with Retry-After would keep it away
    for that long from the gateway that takes over."""
    supervised = clients.supervised(own_gateway.ws_url)
    recorded_of(supervised).wait_healthy()
    for _ in range(2):
        own_gateway.stop()
        own_gateway.start()
        recorded_of(supervised)

    assert "1012" in supervised.log()
    assert "status=503" not in supervised.log()


def test_a_config_wanted_while_the_server_was_away_is_delivered(
    clients: Clients, own_gateway: Gateway
) -> None:
    supervised = clients.supervised(own_gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()
    own_gateway.kill()

    late = marked_config("late")
    seen.offer(late)
    own_gateway.start()

    assert seen.wait_settled(late).state == Delivery.State.APPLIED
    supervised.wait_runs("late")


def test_what_failed_while_the_server_was_away_is_learned_afterwards(
    clients: Clients, own_gateway: Gateway
) -> None:
    """A collector that dies while nobody listens: the connection comes back with its health."""
    supervised = clients.supervised(own_gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()
    seen.offer(BASE)
    seen.wait_settled(BASE)

    own_gateway.stop()
    pid = supervised.collector_pid()
    supervised.kill_collector()
    eventually(lambda: supervised.collector_pid() != pid, "a new collector")
    own_gateway.start()

    seen.wait_connected(timeout_s=45).wait_healthy()
    assert seen.status.config_status == ConfigStatus.APPLIED
