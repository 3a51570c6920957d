"""Offers of connection settings to a supervisor: own metrics, and OpAMP headers (interop.md 2).

A supervisor never reports a status of settings: what it does is the only proof.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from agents.models import ConfigStatus, Session
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually, free_port
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.receiver import Receiver
from tests.real.recorded import Recorded, recorded_of

pytestmark = pytest.mark.real

BASE = marked_config("base")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def supervised(clients: Clients, gateway: Gateway) -> SupervisedCollector:
    return clients.supervised(gateway.ws_url)


@pytest.fixture
def seen(supervised: SupervisedCollector) -> Recorded:
    found = recorded_of(supervised).wait_healthy()
    found.offer(BASE)
    found.wait_settled(BASE)
    return found


def own_metrics(url: str, **headers: str) -> dict[str, Any]:
    return {"own_metrics": {"destination_endpoint": url, "headers": headers}}


def test_own_metrics_arrive_at_the_very_address_with_the_offered_headers(
    supervised: SupervisedCollector, seen: Recorded, receiver: Receiver
) -> None:
    pid, config_at = supervised.collector_pid(), seen.status.config_at

    seen.offer_settings(own_metrics(receiver.url("/own/numbers"), **{"x-ticket": "blue"}))

    eventually(lambda: receiver.posts, "own metrics", seen=supervised.log_tail)
    post = receiver.posts[0]
    assert post.path == "/own/numbers"
    assert post.headers["x-ticket"] == "blue"
    assert post.headers["content-type"] == "application/x-protobuf"
    assert "content-encoding" not in post.headers
    assert b"otelcol_process_memory_rss" in post.body
    assert b"otelcol_process_cpu_seconds_total" not in post.body
    assert seen.uid.hex in post.body.decode(errors="replace").replace("-", "")
    assert supervised.collector_pid() != pid
    seen.wait_healthy()
    status = seen.status
    assert (status.config_at, status.config_status) == (config_at, ConfigStatus.APPLIED)
    assert status.settings_status is None


def test_an_offer_without_an_address_ends_own_metrics(
    supervised: SupervisedCollector, seen: Recorded, receiver: Receiver
) -> None:
    seen.offer_settings(own_metrics(receiver.url("/own")))
    eventually(lambda: receiver.posts, "own metrics", seen=supervised.log_tail)
    pid = supervised.collector_pid()

    seen.offer_settings(own_metrics(""))
    eventually(lambda: supervised.collector_pid() != pid, "a new collector")
    supervised.wait_runs("base")

    before = len(receiver.posts)
    time.sleep(2.5)  # two intervals of the supervised collectors' metrics
    assert len(receiver.posts) == before


def test_own_metrics_that_nobody_receives_harm_nothing(
    supervised: SupervisedCollector, seen: Recorded
) -> None:
    pid = supervised.collector_pid()

    seen.offer_settings(own_metrics(f"http://127.0.0.1:{free_port()}/own"))

    eventually(lambda: supervised.collector_pid() != pid, "a new collector")
    supervised.wait_runs("base")
    seen.wait_healthy()
    assert seen.status.config_status == ConfigStatus.APPLIED


def test_opamp_settings_are_proven_by_a_new_connection_and_offered_once(
    supervised: SupervisedCollector, seen: Recorded, gateway: Gateway
) -> None:
    before = len(seen.sessions())

    seen.offer_settings(
        {
            "opamp": {
                "destination_endpoint": gateway.ws_url,
                "heartbeat_interval_seconds": 1,
                "headers": {"x-rotated": "yes"},
            }
        }
    )

    def again() -> list[Session]:
        return seen.sessions()[before:]

    eventually(again, "a new connection", seen=seen.summary)
    seen.wait_connected()
    assert seen.status.healthy is not False
    seen.restart()  # makes it speak, several times
    seen.wait_healthy()
    assert len(again()) == 1
    assert len(seen.events("settings_offered")) == 1
    supervised.wait_runs("base")


def test_its_unhealthy_word_after_new_settings_is_no_finding(
    supervised: SupervisedCollector, seen: Recorded, gateway: Gateway
) -> None:
    unhealthy = len([event for event in seen.events("health") if event["healthy"] is False])
    before = len(seen.sessions())

    settings = {"destination_endpoint": gateway.ws_url, "heartbeat_interval_seconds": 30}
    seen.offer_settings({"opamp": settings})
    eventually(lambda: len(seen.sessions()) > before, "a new connection", seen=seen.summary)
    seen.wait_connected()

    after = [event for event in seen.events("health") if event["healthy"] is False]
    assert len(after) == unhealthy
    assert seen.status.healthy is not False


def test_a_config_still_arrives_after_new_settings(
    supervised: SupervisedCollector, seen: Recorded, gateway: Gateway
) -> None:
    before = len(seen.sessions())
    settings = {"destination_endpoint": gateway.ws_url, "heartbeat_interval_seconds": 30}
    seen.offer_settings({"opamp": settings})
    eventually(lambda: len(seen.sessions()) > before, "a new connection", seen=seen.summary)

    later = marked_config("later")
    seen.offer(later)

    assert seen.wait_settled(later).error == ""
    supervised.wait_runs("later")
