"""What 10,000 agents that send their own metrics each minute cost in all.

    python -m bench.own_metrics [--agents 10000] [--seconds 60] [--json]

A real gateway and a real PostgreSQL; every agent sends one gzipped OTLP protobuf export of about forty
metrics per minute, evenly spread, over a connection of its own that is closed after it (the dearest
case: collectors keep theirs). The first minute warms up, the next `--seconds` are measured: CPU of
gateway and database from /proc. Exits 1 above a quarter of a core or when an export is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass

from bench.gateway import stores  # isort: skip  first: it sets Django up

import aiohttp
from django.conf import settings
from django.utils import timezone

from agents.gateway.own_metrics.otlp_pb2 import (
    AggregationTemporality,
    ExportMetricsServiceRequest,
    Metric,
)
from agents.gateway.own_metrics.receiver import PATH, PROTOBUF
from agents.gateway.own_metrics.token import OwnMetricsTokens
from agents.models import Agent
from bench.gateway.servers import GatewayServer
from bench.machine import machine

MINUTE_S = 60.0
MOST_CORE = 0.25
SIGNALS = ("spans", "metric_points", "log_records")
OTHERS = 20  # metrics that no gate needs, as collectors send them too
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


@dataclass(frozen=True, slots=True)
class Result:
    """Shares are of one core; `exports` are those answered while measuring."""

    agents: int
    seconds: float
    exports: int
    refused: int
    bytes_each: int
    gateway_core: float
    database_core: float
    rows: int

    @property
    def core(self) -> float:
        return self.gateway_core + self.database_core


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    gateway = GatewayServer(stores.SERVER_CORES, stores.DIRECTORY)
    ids = _make_agents(given.agents)
    gateway.start()
    try:
        result = asyncio.run(_measure(gateway, ids, given.seconds))
    finally:
        gateway.stop()
    _print(result, as_json=given.json)
    return int(result.core > MOST_CORE or result.refused > 0)


def _make_agents(number: int) -> list[int]:
    now = timezone.now()
    Agent.objects.bulk_create(
        (Agent(instance_uid=uuid.uuid4(), first_seen_at=now) for _ in range(number)),
        batch_size=1_000,
    )
    return stores.agent_ids(number)


async def _measure(gateway: GatewayServer, ids: list[int], seconds: float) -> Result:
    sender = Sender(gateway.port, ids)
    async with sender.session:
        await sender.send_for(MINUTE_S)
        sender.answered = sender.refused = 0
        cpu, database, rows = gateway.cpu_s(), stores.database_cpu_s(), _rows()
        began = time.monotonic()
        await sender.send_for(seconds)
        elapsed = time.monotonic() - began
        return Result(
            agents=len(ids),
            seconds=round(elapsed, 1),
            exports=sender.answered,
            refused=sender.refused,
            bytes_each=len(sender.body),
            gateway_core=(gateway.cpu_s() - cpu) / elapsed,
            database_core=(stores.database_cpu_s() - database) / elapsed,
            rows=_rows() - rows,
        )


class Sender:
    """Sends one export per agent and minute, evenly spread."""

    def __init__(self, port: int, ids: list[int]) -> None:
        tokens = OwnMetricsTokens([settings.SECRET_KEY])
        self._url = f"http://127.0.0.1:{port}{PATH}"
        self._tokens = [tokens.token_of(one) for one in ids]
        self._turn = 0
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self.body = gzip.compress(export().SerializeToString())
        self.answered = self.refused = 0

    async def send_for(self, seconds: float) -> None:
        """Send for so long, then wait for the last answers."""
        began, sent = time.monotonic(), 0
        running: set[asyncio.Task[None]] = set()
        while (gone := time.monotonic() - began) < seconds:
            for _ in range(int(gone * len(self._tokens) / MINUTE_S) - sent):
                task = asyncio.create_task(self._send())
                running.add(task)
                task.add_done_callback(running.discard)
                sent += 1
            await asyncio.sleep(0.02)
        await asyncio.gather(*running)

    async def _send(self) -> None:
        token = self._tokens[self._turn % len(self._tokens)]
        self._turn += 1
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": PROTOBUF,
            "Content-Encoding": "gzip",
        }
        async with self.session.post(self._url, data=self.body, headers=headers) as answer:
            await answer.read()
        self.answered += 1
        self.refused += answer.status != 200


def export() -> ExportMetricsServiceRequest:
    """Return what a collector with three pipelines says of itself."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    _sum(metrics.add(), "otelcol_process_cpu_seconds")
    _gauge(metrics.add(), "otelcol_process_memory_rss")
    for signal in SIGNALS:
        for name in ("receiver_accepted", "receiver_refused", "exporter_sent"):
            _sum(metrics.add(), f"otelcol_{name}_{signal}")
        _sum(metrics.add(), f"otelcol_exporter_send_failed_{signal}")
    _gauge(metrics.add(), "otelcol_exporter_queue_size")
    latency = metrics.add(name="http.client.request.duration", unit="s").histogram
    latency.aggregation_temporality = _CUMULATIVE
    bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    latency.data_points.add(explicit_bounds=bounds, bucket_counts=[10] * 15, count=150, sum=3.0)
    for n in range(OTHERS):
        _sum(metrics.add(), f"otelcol_processor_batch_other_{n}")
    return request


def _sum(metric: Metric, name: str) -> None:
    metric.name = name
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = _CUMULATIVE
    point = metric.sum.data_points.add(start_time_unix_nano=1_700_000_000_000_000_000)
    point.as_double = 1234.5
    point.attributes.add(key="exporter").value.string_value = "otlp"


def _gauge(metric: Metric, name: str) -> None:
    metric.name = name
    metric.gauge.data_points.add(as_int=200_000_000)


def _rows() -> int:
    return stores.number("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname='agents_series'")


def _print(result: Result, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"machine": machine(), **asdict(result), "core": result.core}))
        return
    print(
        f"{result.agents:,} agents, {result.exports:,} exports of {result.bytes_each:,} bytes in "
        f"{result.seconds:g} s ({result.refused} refused), about {result.rows:,} rows\n"
        f"gateway {result.gateway_core:.1%} of a core, PostgreSQL {result.database_core:.1%}, "
        f"in all {result.core:.1%} (at most {MOST_CORE:.0%})"
    )


if __name__ == "__main__":
    sys.exit(main())
