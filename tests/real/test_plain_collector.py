"""A collector with the opampextension alone: shown, never a target (interop.md section 2)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from agents.models import Agent, ComponentSet, Delivery
from tests.clients.plain import PlainCollector
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded

pytestmark = pytest.mark.real

UID = uuid.uuid4()


@pytest.fixture(scope="module")
def plain(lasting: Clients, gateway: Gateway) -> PlainCollector:
    return lasting.plain(
        gateway.ws_url,
        labels={"env": "plain"},
        instance_uid=str(UID),
        exporter_headers={"x-api-key": "do-not-show"},
    )


@pytest.fixture(scope="module")
def seen(plain: PlainCollector) -> Recorded:
    return Recorded(UID.hex).wait_connected().wait_healthy()


def test_it_is_known_as_a_collector_that_only_reports(seen: Recorded) -> None:
    agent = seen.agent

    assert agent.kind == Agent.Kind.COLLECTOR
    assert agent.capabilities == 0x4805
    assert agent.labels["env"] == "plain"
    assert agent.version == "0.149.0"


def test_its_health_is_a_tree_down_to_the_parts_of_a_pipeline(seen: Recorded) -> None:
    def pipeline() -> dict[str, Any]:
        components = (seen.body("health") or {}).get("components", {})
        return dict(components.get("pipeline:metrics", {}).get("components", {}))

    parts = eventually(pipeline, "the pipeline's health", seen=seen.summary)

    assert {"receiver:otlp", "processor:batch", "exporter:debug"} <= set(parts)
    assert all(part["healthy"] for part in parts.values())
    assert "extensions" in seen.body("health")["components"]


def test_its_components_are_known(seen: Recorded) -> None:
    def names() -> set[str]:
        known = ComponentSet.objects.filter(pk=seen.agent.components_hash).first()
        return set(known.names) if known else set()

    assert "receiver:hostmetrics" in eventually(names, "the components", seen=seen.summary)


def test_its_effective_config_hides_secrets_and_cannot_be_applied_again(seen: Recorded) -> None:
    text = eventually(
        lambda: str(seen.body("effective_config") or ""), "an effective config", seen=seen.summary
    )

    assert "x-api-key" in text
    assert "do-not-show" not in text
    assert "[REDACTED]" in text
    assert "collection_interval" in text
    assert "load" not in text.partition("hostmetrics")[2].partition("service")[0]


def test_a_config_is_never_sent_to_it(plain: PlainCollector, seen: Recorded) -> None:
    seen.offer("receivers: {}\n")

    # The connection still speaks: what could have been sent by now has not been.
    seen.ask_full_state()
    offered = seen.deliveries("receivers: {}\n")[-1]
    assert (offered.state, offered.sent_at) == (Delivery.State.OPEN, None)
    assert plain.answers()


def test_without_a_uid_of_its_own_each_start_is_a_new_agent(
    clients: Clients, gateway: Gateway
) -> None:
    def known() -> int:
        return Agent.objects.filter(labels__contains={"env": "nameless"}).count()

    nameless = clients.plain(gateway.ws_url, labels={"env": "nameless"})
    eventually(lambda: known() == 1, "the first start")
    nameless.stop()
    nameless.start()

    eventually(lambda: known() == 2, "the second start is another agent")
