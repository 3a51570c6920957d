"""A supervisor that polls over plain HTTP: chunked bodies, 30 s between polls, no good-bye."""

from __future__ import annotations

import pytest

from agents.models import Delivery
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, recorded_of

pytestmark = pytest.mark.real


@pytest.fixture
def supervised(clients: Clients, gateway: Gateway) -> SupervisedCollector:
    return clients.supervised(gateway.http_url, labels={"env": "polling"})


@pytest.fixture
def seen(supervised: SupervisedCollector) -> Recorded:
    return recorded_of(supervised).wait_healthy()


def test_its_chunked_messages_are_read(seen: Recorded) -> None:
    assert seen.status.transport == "http"
    assert seen.agent.labels["env"] == "polling"
    assert seen.agent.capabilities == 0x7D47


def test_a_config_reaches_it_with_the_answer_to_whatever_it_says_next(
    supervised: SupervisedCollector, seen: Recorded
) -> None:
    polled = marked_config("polled")
    supervised.collector_pid()
    seen.offer(polled)

    supervised.kill_collector()  # its health is posted at once, and the answer carries the config

    assert seen.wait_settled(polled).state == Delivery.State.APPLIED
    supervised.wait_runs("polled")


def test_it_leaves_without_a_word(supervised: SupervisedCollector, seen: Recorded) -> None:
    supervised.stop()

    assert seen.is_connected()
    assert seen.sessions()[-1].disconnected_at is None
