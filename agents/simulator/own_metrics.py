"""What a simulated collector says of itself over OTLP, once it was told where to (own_metrics).

It has a steady load of its own, starts its counters anew when it applies a config, and feels what the
config does to a real one: `debug` with verbosity detailed costs CPU, a pipeline without
memory_limiter leaks, and an exporter whose host ends in `.invalid` or whose port is 9 (discard)
gets nothing through: the data is received, waits, and is lost.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml

from agents.gateway.own_metrics.otlp_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    ExportMetricsServiceRequest,
    ScopeMetrics,
)
from agents.simulator.agent import SimulatedAgent

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/x-protobuf"
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_AT_ONCE = 50
_POST_S = 10.0


@dataclass(frozen=True, slots=True)
class Effects:
    """What a config does to the collector that runs it."""

    cpu: float = 1.0
    leak_bytes_per_min: float = 0.0
    loses_data: bool = False


@functools.lru_cache(maxsize=64)
def effects_of(body: bytes) -> Effects:
    """Return what a config does; one that cannot be read does nothing."""
    try:
        config = yaml.safe_load(body)
    except yaml.YAMLError:
        return Effects()
    if not isinstance(config, dict):
        return Effects()
    exporters = config.get("exporters") or {}
    pipelines = (config.get("service") or {}).get("pipelines") or {}
    used = [part for one in pipelines.values() for part in (one or {}).get("processors") or []]
    is_verbose = any((one or {}).get("verbosity") == "detailed" for one in exporters.values())
    return Effects(
        cpu=1.4 if is_verbose else 1.0,
        leak_bytes_per_min=0.0 if "memory_limiter" in used else 4e6,
        loses_data=any(_is_dead((one or {}).get("endpoint")) for one in exporters.values()),
    )


def _is_dead(endpoint: Any) -> bool:
    host, _, port = str(endpoint or "").rpartition("//")[2].partition("/")[0].partition(":")
    return host.endswith(".invalid") or port == "9"


@dataclass(slots=True)
class Life:
    """The counters of one collector since its last start. Times in seconds since 1970."""

    seed: bytes
    config_hash: bytes
    started_at: float
    at: float
    cpu_s: float = 0.0
    rss_bytes: float = 9e7
    received: float = 0.0
    sent: float = 0.0
    waiting: float = 0.0
    latency: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))

    def run(self, until: float, effects: Effects) -> None:
        """Let time pass."""
        own = random.Random(self.seed)  # noqa: S311  how busy it is, not a secret
        now = random.Random(self.seed + str(until).encode())  # noqa: S311
        passed = max(0.0, until - self.at)
        self.at = until
        per_s = own.uniform(50, 150) * now.uniform(0.9, 1.1)
        self.cpu_s += passed * own.uniform(0.05, 0.2) * now.uniform(0.95, 1.05) * effects.cpu
        self.rss_bytes += passed / 60 * (effects.leak_bytes_per_min + now.uniform(-2e4, 2e4))
        self.received += passed * per_s
        if effects.loses_data:
            self.waiting = min(self.waiting + passed * per_s, 1000.0)
            return
        self.sent, self.waiting = self.received, 0.0
        typical = own.uniform(0.02, 0.05)
        for _ in range(max(1, int(passed))):
            latency = typical * now.lognormvariate(0, 0.3)
            self.latency[sum(latency > bound for bound in BOUNDS_S)] += 1


def export_of(agent: SimulatedAgent, life: Life) -> bytes:
    """Return the export as a collector writes it at metrics level detailed."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in agent.profile.identifying.items():
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_metrics.add()
    start, now = int(life.started_at * 1e9), int(life.at * 1e9)
    for name, number in (
        ("otelcol_process_cpu_seconds", life.cpu_s),
        ("otelcol_process_uptime", life.at - life.started_at),
        ("otelcol_receiver_accepted_spans", life.received),
        ("otelcol_exporter_sent_spans", life.sent),
    ):
        if number:
            metric = scope.metrics.add(name=name)
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.data_points.add(
                start_time_unix_nano=start, time_unix_nano=now, as_double=number
            )
    for name, number, unit in (
        ("otelcol_process_memory_rss", life.rss_bytes, "By"),
        ("otelcol_exporter_queue_size", life.waiting, ""),
    ):
        gauge = scope.metrics.add(name=name, unit=unit).gauge
        gauge.data_points.add(time_unix_nano=now, as_int=int(number))
    _add_latency(scope, life, start, now)
    return request.SerializeToString()


def _add_latency(scope: ScopeMetrics, life: Life, start: int, now: int) -> None:
    if not any(life.latency):
        return
    histogram = scope.metrics.add(name="http.client.request.duration", unit="s").histogram
    histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    histogram.data_points.add(
        start_time_unix_nano=start,
        time_unix_nano=now,
        count=sum(life.latency),
        bucket_counts=life.latency,
        explicit_bounds=BOUNDS_S,
    )


class OwnMetrics:
    """Sends the own metrics of a whole fleet, each agent at its own moment of the interval."""

    def __init__(
        self, agents: Sequence[SimulatedAgent], session: aiohttp.ClientSession, interval_s: float
    ) -> None:
        self._agents = agents
        self._session = session
        self._interval_s = interval_s
        self._lives: dict[bytes, Life] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Send for ever."""
        pause_s = min(1.0, self._interval_s / 4)
        turns = max(1, round(self._interval_s / pause_s))
        turn = 0
        while True:
            await asyncio.sleep(pause_s)
            turn += 1
            due = [a for a in self._agents if a.profile.index % turns == turn % turns]
            sending = [self._send(agent) for agent in due if agent.own_metrics and not agent.dead]
            await asyncio.gather(*sending)

    async def _send(self, agent: SimulatedAgent) -> None:
        url, headers = agent.own_metrics or ("", {})
        body = export_of(agent, self._life(agent, time.time()))
        given = {**headers, "Content-Type": CONTENT_TYPE}
        try:
            async with (
                self._at_once,
                asyncio.timeout(_POST_S),
                self._session.post(url, data=body, headers=given) as answer,
            ):
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            logger.debug("own metrics were not taken", extra={"error": str(error)})

    def _life(self, agent: SimulatedAgent, now: float) -> Life:
        """Return the counters now; they begin anew with each config."""
        memory = agent.memory
        life = self._lives.get(agent.uid)
        if life is None or life.config_hash != memory.running:
            begun = now - self._interval_s
            life = self._lives[agent.uid] = Life(agent.uid, memory.running, begun, begun)
        body = next(iter(memory.files.values()), b"")
        life.run(now, effects_of(body))
        return life
