"""Configs for a supervisor that does not validate: a bad one takes its collector down."""

from __future__ import annotations

import socket

import pytest

from agents.models import AgentStatus, ConfigStatus, Delivery, Quarantine
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, hash_of, recorded_of

pytestmark = pytest.mark.real

BASE = marked_config("base")
UNKNOWN = marked_config("unknown", processors={"batch": {}, "transmogrify": {}})


@pytest.fixture(scope="module")
def supervised(lasting: Clients, gateway: Gateway) -> SupervisedCollector:
    return lasting.supervised(gateway.ws_url, validate_config=False)


@pytest.fixture(scope="module")
def seen(supervised: SupervisedCollector) -> Recorded:
    return recorded_of(supervised).wait_healthy()


@pytest.fixture
def on_base(supervised: SupervisedCollector, seen: Recorded) -> SupervisedCollector:
    seen.offer(BASE)
    seen.wait_status(BASE, ConfigStatus.APPLIED)
    supervised.wait_runs("base")
    seen.wait_healthy()
    return supervised


def test_an_unknown_component_takes_it_down_until_it_goes_back(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    bad = UNKNOWN + "# taken back\n"
    seen.offer(bad)
    failed = seen.wait_settled(bad)

    assert failed.state == Delivery.State.FAILED
    assert "exit code 1" in failed.error
    assert not on_base.runs("base")

    seen.offer(BASE)
    assert seen.wait_settled(BASE).state == Delivery.State.APPLIED
    on_base.wait_runs("base")
    seen.wait_healthy()


def test_the_effective_config_after_a_failure_is_the_old_one(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    eventually(lambda: "/base" in str(seen.body("effective_config")), "the old effective config")
    bad = UNKNOWN + "# stale\n"

    seen.offer(bad)
    seen.wait_settled(bad)
    seen.wait_unhealthy()

    assert "/base" in str(seen.body("effective_config"))
    assert not on_base.runs("base")
    assert seen.status.config_status == ConfigStatus.FAILED


def test_a_failure_reported_again_after_a_restart_is_the_same_failure(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    bad = UNKNOWN + "# restarted\n"
    seen.offer(bad)
    before = seen.wait_settled(bad)
    sessions = len(seen.sessions())

    on_base.stop()
    on_base.start()
    eventually(lambda: len(seen.sessions()) > sessions, "a new session", seen=seen.summary)
    seen.wait_connected().wait_status(bad, ConfigStatus.FAILED)

    assert [delivery.settled_at for delivery in seen.deliveries(bad)] == [before.settled_at]
    assert len(seen.events("config_failed")) == len(
        {event["config_hash"] for event in seen.events("config_failed")}
    )


def test_a_port_that_is_freed_makes_it_healthy_and_the_refusal_stays(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        on_port = marked_config(
            "port", receivers={"otlp": {"protocols": {"http": {"endpoint": endpoint}}}}
        )
        seen.offer(on_port)
        failed = seen.wait_settled(on_port)
        seen.wait_unhealthy()

    seen.wait_healthy(timeout_s=30)

    assert failed.state == Delivery.State.FAILED
    on_base.wait_runs("port")
    assert seen.wait_settled(on_port).state == Delivery.State.FAILED
    assert seen.status.config_status == ConfigStatus.FAILED


def test_one_that_refused_what_it_ran_because_of_a_port_is_not_taken_for_wedged(
    on_base: SupervisedCollector, seen: Recorded
) -> None:
    """While the port is taken it refuses everything, the config from before included. Freed, it runs
    what it was given last, and says so by its health and its effective config alone."""
    first = UNKNOWN + "# before the port\n"
    seen.offer(first)
    seen.wait_settled(first)
    seen.wait_unhealthy()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", on_base.otlp_port))
        taken.listen()
        seen.offer(BASE)
        assert seen.wait_settled(BASE).state == Delivery.State.FAILED
        assert seen.status.wedged_since == hash_of(first)

    seen.wait_healthy(timeout_s=30)
    on_base.wait_runs("base")

    runs = AgentStatus.objects.filter(agent=seen.agent, running_hash=hash_of(BASE))
    eventually(runs.exists, "what it shows is what it runs", seen=seen.summary)
    assert seen.status.wedged_since == ""
    kept = Quarantine.objects.filter(agent=seen.agent, config_hash=hash_of(BASE), lifted_at=None)
    eventually(lambda: not kept.exists(), "the config is not kept from it", seen=seen.summary)
    assert seen.wait_settled(BASE).state == Delivery.State.FAILED


def test_validation_misses_a_value_that_the_running_config_also_sets(
    clients: Clients, gateway: Gateway
) -> None:
    """The supervisor lets `collector validate` merge what it runs over the new config. So the bad
    value gets through, the collector goes down, and then every good config is refused as well,
    until the supervisor is restarted: it starts with the last config it received."""
    supervised = clients.supervised(gateway.ws_url, validate_config=True)
    seen = recorded_of(supervised).wait_healthy()
    quiet = marked_config("quiet", exporters={"debug": {"verbosity": "basic"}})
    loud = marked_config("loud", exporters={"debug": {"verbosity": "loud"}})
    back = quiet + "# back\n"
    seen.offer(quiet)
    seen.wait_settled(quiet)

    seen.offer(loud)
    missed = seen.wait_settled(loud)
    assert missed.state == Delivery.State.FAILED
    assert "exit code 1" in missed.error
    assert not supervised.runs("quiet")

    seen.offer(back)
    refused = seen.wait_settled(back)
    assert refused.state == Delivery.State.FAILED
    assert "validation failed" in refused.error
    supervised.stop()
    supervised.start()
    supervised.wait_runs("quiet")
    seen.wait_connected().wait_healthy()
