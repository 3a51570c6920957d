"""A supervised collector connects: who it is, what it can do, how it is (interop.md section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from agents.models import Agent, ComponentSet, ConfigStatus, Delivery
from agents.opamp import bits
from tests.clients.supervised import SupervisedCollector
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, recorded_of

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def supervised(lasting: Clients, gateway: Gateway) -> SupervisedCollector:
    return lasting.supervised(gateway.ws_url, labels={"env": "test"})


@pytest.fixture(scope="module")
def seen(supervised: SupervisedCollector) -> Recorded:
    return recorded_of(supervised).wait_healthy()


def test_it_is_known_as_a_supervisor_with_exactly_its_capabilities(seen: Recorded) -> None:
    agent = seen.agent

    assert agent.kind == Agent.Kind.SUPERVISOR
    assert agent.capabilities == 0x7D47


def test_its_labels_come_from_identifying_and_other_attributes(seen: Recorded) -> None:
    agent = seen.agent

    assert agent.labels["env"] == "test"
    assert agent.labels["service.name"] == "collector"
    assert agent.version == "0.149.0"
    assert {"service.instance.id", "service.name", "service.version"} <= set(agent.identifying)
    assert {"host.arch", "host.name", "os.type", "os.description"} <= set(agent.non_identifying)


def test_its_first_unhealthy_word_is_no_finding(seen: Recorded) -> None:
    assert seen.status.healthy is True
    assert not [event for event in seen.events("health") if event["healthy"] is False]


def test_an_unset_status_with_an_empty_hash_is_no_config(seen: Recorded) -> None:
    status = seen.status

    assert status.config_status == ConfigStatus.UNSET
    assert (status.config_hash, status.running_hash) == ("", "")


def test_package_statuses_without_the_capability_are_ignored(seen: Recorded) -> None:
    assert not seen.agent.has_capability(bits.REPORTS_PACKAGE_STATUSES)
    assert not seen.events("package_statuses")
    assert not seen.events("bad_message")


def test_it_gets_no_config_before_anybody_wants_one(seen: Recorded) -> None:
    assert not Delivery.objects.filter(agent=seen.agent).exists()


def test_its_effective_config_is_kept_once_it_is_not_empty(seen: Recorded) -> None:
    text = eventually(
        lambda: str(seen.body("effective_config") or ""), "an effective config", seen=seen.summary
    )

    assert "opamp" in text


def test_its_health_is_the_tree_of_its_collector(
    seen: Recorded, supervised: SupervisedCollector
) -> None:
    def parts() -> dict[str, Any]:
        return dict((seen.body("health") or {}).get("components", {}))

    assert "extensions" in eventually(parts, "a health tree", seen=seen.summary)
    assert all(part["healthy"] for part in parts().values())


def test_its_components_are_told_with_their_modules(seen: Recorded) -> None:
    def components() -> ComponentSet | None:
        return ComponentSet.objects.filter(pk=seen.agent.components_hash).first()

    known = eventually(components, "the components", seen=seen.summary)

    assert known is not None
    assert {"receiver:otlp", "exporter:debug", "extension:health_check"} <= set(known.names)
    module = known.details["receivers"]["components"]["otlp"]["metadata"]["code.namespace"]
    assert module == "go.opentelemetry.io/collector/receiver/otlpreceiver v0.149.0"


def test_components_with_a_known_hash_are_not_asked_for_again(
    seen: Recorded, clients: Clients, gateway: Gateway
) -> None:
    known = ComponentSet.objects.filter(pk=seen.agent.components_hash)
    eventually(known.exists, "the components", seen=seen.summary)
    told_at = known.get().at

    second = recorded_of(clients.supervised(gateway.ws_url)).wait_healthy()

    assert second.agent.components_hash == seen.agent.components_hash
    assert known.get().at == told_at


def test_a_stopped_supervisor_says_good_bye(clients: Clients, gateway: Gateway) -> None:
    supervised = clients.supervised(gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()

    supervised.stop()

    seen.wait_offline()
    assert seen.sessions()[-1].disconnected_at is not None
    assert not supervised.runs("anything")


def test_a_killed_supervisor_is_offline_though_its_collector_still_works(
    clients: Clients, gateway: Gateway
) -> None:
    supervised = clients.supervised(gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()

    orphan = supervised.kill_supervisor()

    seen.wait_offline()
    assert supervised.is_alive(orphan)
    supervised.start()
    seen.wait_connected().wait_healthy()
    assert supervised.collector_pid() != orphan
