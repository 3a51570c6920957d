"""A supervised collector sends its own metrics to Tidegate, which keeps what gates need."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from agents.models import Series
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually, port_answers
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, recorded_of

pytestmark = pytest.mark.real

SPANS = 5
SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "test",
    "kind": 1,
    "startTimeUnixNano": "1544712660000000000",
    "endTimeUnixNano": "1544712661000000000",
}


@pytest.fixture(scope="module")
def offering(store: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that offers agents a place for their own metrics, as it does by itself."""
    log = tmp_path_factory.mktemp("offering") / "gateway.log"
    own = Gateway(log, "--own-metrics-url", "")
    try:
        yield own.start()
    finally:
        own.kill()


@pytest.fixture(scope="module")
def supervised(lasting: Clients, offering: Gateway) -> SupervisedCollector:
    return lasting.supervised(offering.ws_url)


@pytest.fixture(scope="module")
def seen(supervised: SupervisedCollector) -> Recorded:
    """A collector that got five spans and passed them on."""
    found = recorded_of(supervised).wait_healthy()
    body = marked_config("measured")
    found.offer(body)
    found.wait_settled(body)
    eventually(lambda: port_answers(supervised.otlp_port), "its OTLP receiver")
    traces = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN] * SPANS}]}]}
    requests.post(
        f"http://127.0.0.1:{supervised.otlp_port}/v1/traces",
        data=json.dumps(traces),
        headers={"Content-Type": "application/json"},
        timeout=10,
    ).raise_for_status()
    return found


def newest(seen: Recorded) -> Series | None:
    return Series.objects.filter(agent=seen.agent).order_by("at").last()


def test_its_processor_time_and_memory_are_kept(seen: Recorded) -> None:
    row = eventually(lambda: newest(seen), "a row of own metrics", seen=seen.summary)

    assert row is not None
    assert row.cpu_s is not None
    assert row.rss_bytes is not None
    assert row.rss_bytes > 1_000_000


@pytest.fixture(scope="module")
def counted(seen: Recorded) -> Series:
    """The first row that says what became of the spans."""

    def with_spans() -> Series | None:
        row = newest(seen)
        return row if row is not None and row.sent and row.sent[0] == SPANS else None

    row = eventually(with_spans, "the spans it sent", seen=lambda: vars(newest(seen) or seen))
    assert row is not None
    return row


def test_what_it_received_and_sent_is_counted(counted: Series) -> None:
    assert counted.received is not None
    assert counted.received[0] == SPANS


def test_what_never_failed_is_not_reported(counted: Series) -> None:
    """Series appear only once there is data: a missing failure beside a success is zero."""
    assert counted.failed is None or counted.failed[0] in (None, 0)


def test_the_offer_is_made_once_and_leaves_the_config_status_alone(seen: Recorded) -> None:
    assert len(seen.events("settings_offered")) == 1
    assert seen.status.settings_status is None
    assert len(seen.sessions()) == 1
