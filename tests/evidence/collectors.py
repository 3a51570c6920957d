"""What a fleet of collectors would have left in Prometheus."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent
from tests.evidence.prometheus import History

STEP_S = 15.0
# What lies further back is kept at this step, as a Prometheus that scrapes once a minute has it.
PAST_STEP_S = 60.0
DAY_S = 86_400.0


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
    scraped: bool = False,
    days: float = 0.0,
) -> None:
    """Add samples of these agents around a change, at which all restart as `after`. Where they are
    `scraped`, only their target_info says who they are. `days` before that is their CPU alone: more
    by day than by night, and counted anew after a restart in the middle."""
    change = change_at.timestamp()
    for number, agent in enumerate(agents):
        uid = str(agent.instance_uid)
        labels = {"service_instance_id": uid, "job": "collectors"}
        if scraped:
            labels = {"job": "collectors", "instance": f"10.1.0.{number}:8888"}
        collector = _Collector(history, labels, uid if scraped else "")
        since = change - minutes[0] * 60
        collector.live_through(since - days * DAY_S, since, before.cpu)
        collector.run(since, change, before)
        collector.restart()
        until = change + (minutes[1] * 60 if silent_after_s is None else silent_after_s)
        collector.run(change, until, after)
        collector.write()


def write_strangers(
    history: History, *, change_at: datetime, minutes: int = 40, days: float = 0.0
) -> None:
    """Add programs that are none of our agents and fare badly from the change on: somebody else's
    collector, and one that has our metrics under their Prometheus names."""
    change = change_at.timestamp()
    collector = {"job": "their-collectors", "instance": "10.9.0.1:8888"}
    theirs = _Collector(history, collector, "11111111-0000-4000-8000-000000000000")
    bad = Behaviour(cpu=2.0, send_failed=50.0, leak=1.2e9, errors=3000.0)
    since = change - minutes * 60
    theirs.live_through(since - days * DAY_S, since, GOOD.cpu)
    theirs.run(since, change, GOOD)
    theirs.run(change, change + minutes * 60, bad)
    theirs.write()
    for job in ("prometheus", "node", "shop"):
        labels = {"job": job, "instance": f"10.1.0.0:{9000 + len(job)}"}
        program = _Program(history, labels)
        program.live_through(since - days * DAY_S, since)
        program.run(since, change, 0.0)
        program.run(change, change + minutes * 60, 1.0)
        program.write()


def cpu_of_days(since: float, until: float, mean: float) -> Iterator[tuple[float, float]]:
    """Yield (time, CPU seconds used since the one before): a fifth more at noon than on average."""
    at = since
    while at < until:
        yield at, PAST_STEP_S * mean * (1 + 0.2 * math.sin(2 * math.pi * at / DAY_S))
        at += PAST_STEP_S


class _Program:
    """Any other program, on a host of ours even, under the names that every program exports."""

    def __init__(self, history: History, labels: dict[str, str]) -> None:
        self._history, self._labels = history, labels
        self._cpu, self._rss, self._errors = 0.0, 1e8, 0.0
        self._rows: list[tuple[float, float, float, float]] = []

    def live_through(self, since: float, until: float) -> None:
        for at, used in cpu_of_days(since, until, 0.1):
            self._cpu += used
            self._rows.append((at, self._cpu, self._rss, self._errors))

    def run(self, since: float, until: float, badness: float) -> None:
        at = since
        while at < until:
            self._cpu += STEP_S * (0.1 + badness)
            self._rss += STEP_S * badness * 3e7
            self._errors += STEP_S * badness * 50
            self._rows.append((at, self._cpu, self._rss, self._errors))
            at += STEP_S

    def write(self) -> None:
        names = ("process_cpu_seconds_total", "process_resident_memory_bytes", "log_messages")
        for position, name in enumerate(names, 1):
            labels = self._labels | ({"level": "error"} if name == "log_messages" else {})
            self._history.add(name, labels, [(row[0], row[position]) for row in self._rows])


class _Collector:
    """`uid` is said by a target_info, where it stands on no series."""

    def __init__(self, history: History, labels: dict[str, str], uid: str = "") -> None:
        self._history = history
        self._labels = labels
        self._uid = uid
        self._samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self.restart()

    def restart(self) -> None:
        self._counters: dict[tuple[str, str], float] = {}
        self._rss = 1e8

    def live_through(self, since: float, until: float, cpu: float) -> None:
        """Use CPU for days, with a restart in the middle."""
        key, total = ("otelcol_process_cpu_seconds_total", ""), 0.0
        rows = list(cpu_of_days(since, until, cpu))
        for number, (at, used) in enumerate(rows):
            total = used if number == len(rows) // 2 else total + used
            self._samples.setdefault(key, []).append((at, total))
            if self._uid:
                self._samples.setdefault(self._info, []).append((at, 1.0))
        self._counters[key] = total

    @property
    def _info(self) -> tuple[str, str]:
        return ("target_info", f'service_instance_id="{self._uid}"')

    def run(self, since: float, until: float, behaviour: Behaviour) -> None:
        at = since
        while at < until:
            self._step(behaviour)
            for key, value in self._counters.items():
                self._samples.setdefault(key, []).append((at, value))
            if self._uid:
                self._samples.setdefault(self._info, []).append((at, 1.0))
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
        self._count("log_messages", 'level="info"', 1.0)
        if behaviour.errors:
            self._count("log_messages", 'level="error"', behaviour.errors / 60)
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
