"""The case that status and health cannot see: a config that is applied, healthy, and loses all data.

Two supervised collectors get data all the time. Version 1 sends it on; version 2 sends it to a
closed port. No Prometheus: their own metrics, which they send to the gateway, are the evidence.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually, free_port
from tests.product import Product, running
from tests.real.conftest import Clients
from tests.real.receiver import Receiver
from tests.real.recorded import hash_of

pytestmark = pytest.mark.real

METRIC_INTERVAL_MS = 1000
PLAN: dict[str, Any] = {
    "phases": [
        {
            "name": "all",
            "weight": "100%",
            "duration": "20s",
            "success_criteria": [
                {"metric": "failure_rate", "operator": "<", "threshold": 0.05, "source": "opamp"},
                {"metric": "data_continuity", "operator": ">", "threshold": 0.9},
            ],
        }
    ],
    "health_grace": "2s",
    "bake": "2s",
}


def config(mark: str, endpoint: str) -> str:
    exporter = {"traces_endpoint": endpoint, "timeout": "2s"}
    text = marked_config(
        mark, exporters={"otlp_http": exporter}, processors={"batch": {"timeout": "200ms"}}
    )
    return text.replace("- debug", "- otlp_http")


class Traffic:
    """Ten spans to each collector, five times a second, whether it takes them or not."""

    def __init__(self, collectors: list[SupervisedCollector]) -> None:
        self._collectors = collectors
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        spans = [
            {"traceId": f"{n:032x}", "spanId": f"{n:016x}", "name": "step"} for n in range(1, 11)
        ]
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
        while not self._stop.wait(0.2):
            for collector in self._collectors:
                url = f"http://127.0.0.1:{collector.otlp_port}/v1/traces"
                try:
                    requests.post(
                        url, body, headers={"Content-Type": "application/json"}, timeout=2
                    )
                except requests.RequestException:
                    continue


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("loss") / "data", agents=1) as found:
        yield found


def roll_out(product: Product, body: str) -> dict[str, Any]:
    version = product.upload(body.encode())
    order = {
        "config": "edge",
        "version": version["version"],
        "plan": PLAN,
        "selector": "fleet=real",
        "start": True,
        "reason": "drill",
    }
    started = product.api("POST", "rollouts", json=order)
    return product.wait_finished(int(started["id"]), 150)


def test_a_config_that_loses_all_data_comes_back_on_own_metrics_alone(
    product: Product, clients: Clients
) -> None:
    sink = Receiver()
    url = f"ws://127.0.0.1:{product.opamp_port}/v1/opamp"
    collectors = [
        clients.supervised(url, labels={"fleet": "real"}, metric_interval_ms=METRIC_INTERVAL_MS)
        for _ in range(2)
    ]

    def all_there() -> bool:
        agents = product.api("GET", "agents?selector=fleet%3Dreal")["agents"]
        return [agent["connected"] for agent in agents] == [True] * len(collectors)

    eventually(all_there, "both collectors are connected", timeout_s=60, seen=product.log)
    good, lossy = (
        config("good", sink.url("/traces")),
        config("lossy", f"http://127.0.0.1:{free_port()}/x"),
    )
    with Traffic(collectors):
        first = roll_out(product, good)
        assert first["state"] == "succeeded", product.explain(first["id"])
        time.sleep(15)  # the past that the next version is compared with
        second = roll_out(product, lossy)
    sink.close()
    assert second["state"] == "rolled_back", product.explain(second["id"])
    # Nothing that agents say of themselves is wrong; the guard of every plan acts before the criteria
    # have their readings.
    said = [g for g in second["phases"][0]["gates"] if g["metric"] == "failure_rate"]
    assert said
    assert all(gate["verdict"] != "fail" for gate in said)
    events = product.api("GET", f"rollouts/{second['id']}/events")["events"]
    came_back = next(event for event in events if event["act"] == "roll_back")
    assert "Data continuity" in came_back["reason"]
    for collector in collectors:
        collector.wait_runs("good")
    agents = product.api("GET", "agents?selector=fleet%3Dreal")["agents"]
    assert {agent["config_hash"] for agent in agents} == {hash_of(good)}
