"""What a fleet of collectors would have left in Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent
from tests.evidence.prometheus import History

STEP_S = 15.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one collector runs: per second, bytes per minute, errors per minute."""

    cpu: float = 0.2
    sent: float = 100.0
    received: float = 100.0
    send_failed: float = 0.0
    leak: float = 0.0
    errors: float = 0.0
    latency_s: float = 0.02


GOOD = Behaviour()
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


def write(
    history: History,
    agents: Sequence[Agent],
    *,
    change_at: datetime,
    after: Behaviour,
    before: Behaviour = GOOD,
    minutes: tuple[int, int] = (40, 40),
    silent_after_s: float | None = None,
) -> None:
    """Add samples of these agents around a change, at which all restart as `after`."""
    change = change_at.timestamp()
    for agent in agents:
        collector = _Collector(history, str(agent.instance_uid))
        collector.run(change - minutes[0] * 60, change, before)
        collector.restart()
        until = change + (minutes[1] * 60 if silent_after_s is None else silent_after_s)
        collector.run(change, until, after)
        collector.write()


class _Collector:
    def __init__(self, history: History, instance: str) -> None:
        self._history = history
        self._labels = {"service_instance_id": instance, "job": "collectors"}
        self._samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self.restart()

    def restart(self) -> None:
        self._counters: dict[tuple[str, str], float] = {}
        self._rss = 1e8

    def run(self, since: float, until: float, behaviour: Behaviour) -> None:
        at = since
        while at < until:
            self._step(behaviour)
            for key, value in self._counters.items():
                self._samples.setdefault(key, []).append((at, value))
            rss = ("otelcol_process_memory_rss_bytes", "")
            self._samples.setdefault(rss, []).append((at, self._rss))
            at += STEP_S

    def _step(self, behaviour: Behaviour) -> None:
        exporter = 'exporter="otlp"'
        self._count("otelcol_process_cpu_seconds_total", "", behaviour.cpu)
        self._count("otelcol_process_uptime_seconds_total", "", 1.0)
        self._count("otelcol_receiver_accepted_spans_total", 'receiver="otlp"', behaviour.received)
        self._count("otelcol_exporter_sent_spans_total", exporter, behaviour.sent)
        if behaviour.send_failed:
            failed = "otelcol_exporter_send_failed_spans_total"
            self._count(failed, exporter, behaviour.send_failed)
        if behaviour.errors:
            self._count("otelcol_log_records_total", 'level="error"', behaviour.errors / 60)
        for bound in (*BOUNDS, float("inf")):
            name = "+Inf" if bound == float("inf") else repr(bound)
            hits = 10.0 if behaviour.latency_s <= bound else 0.0
            self._count("http_client_request_duration_seconds_bucket", f'le="{name}"', hits)
        self._rss += behaviour.leak * STEP_S / 60

    def _count(self, metric: str, labels: str, per_s: float) -> None:
        key = (metric, labels)
        self._counters[key] = self._counters.get(key, 0.0) + per_s * STEP_S

    def write(self) -> None:
        for (metric, labels), samples in self._samples.items():
            more = dict(part.split("=", 1) for part in labels.split(",") if part)
            more = {key: value.strip('"') for key, value in more.items()}
            self._history.add(metric, {**self._labels, **more}, samples)
