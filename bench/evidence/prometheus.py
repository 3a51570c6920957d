"""A Prometheus that scrapes the simulated collectors and programs of others, which fail all the time.

Only its answers are simulated; whose series is whose, and what a condition says, is decided by the
product (`rollouts.analysis.sources.prometheus_conditions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from bench.evidence.fleet import MINUTE, Collector
from rollouts.analysis.identity import SERVICE_INSTANCE, AgentLabel, agent_labels
from rollouts.analysis.readings import Outcome, Reading, silent
from rollouts.analysis.scene import Member
from rollouts.analysis.sources.prometheus_agents import Known
from rollouts.analysis.sources.prometheus_api import Sample
from rollouts.analysis.sources.prometheus_conditions import read_condition
from rollouts.analysis.specs import GateSpec
from rollouts.engine.facts import GateKind
from rollouts.plans.metrics import Source
from rollouts.plans.plan import Trigger

FAILED = "otelcol_exporter_send_failed_spans_total"
TRIGGER = Trigger("export_failures", f"rate({FAILED}[5m]) > 0.001", for_s=300.0)
LABELS: tuple[AgentLabel, ...] = agent_labels(["service_instance_id", "instance"])
_SCRAPED = (FAILED, "otelcol_process_uptime", "target_info")


def uid_of(number: int) -> str:
    return str(UUID(int=number + 1))


class SimulatedPrometheus:
    """What the product asks of `PrometheusApi`."""

    def __init__(self, collectors: Sequence[Collector], strangers: int, now: float) -> None:
        self._collectors = [one for one in collectors if not one.is_gone]
        self._strangers = strangers
        self._now = now

    def query(self, text: str, at: datetime) -> list[Sample]:
        if text.startswith("group"):
            names = [name for name in _SCRAPED if name in text]
            series = [*map(_of_collector, self._collectors), *self._others()]
            return [Sample({"__name__": name, **one}, 1.0) for name in names for one in series]
        failing = [_of_collector(one) for one in self._collectors if self._fails(one)]
        return [Sample(labels, 0.5) for labels in (*failing, *self._others())]

    def _fails(self, one: Collector) -> bool:
        is_on_new = one.changed_at is not None and self._now - one.changed_at >= MINUTE
        return is_on_new and one.fault.drops > 0

    def _others(self) -> Iterator[dict[str, str]]:
        for number in range(self._strangers):
            yield {"job": "others", "instance": f"10.9.{number // 250}.{number % 250}:9100"}


def _of_collector(one: Collector) -> dict[str, str]:
    address = f"10.1.{one.number // 250}.{one.number % 250}:8888"
    return {"job": "collectors", "instance": address, "service_instance_id": uid_of(one.number)}


class _NoDatabase(Known):
    """Every agent there is belongs to the rollout, so nobody else is looked up."""

    def _look_up(self, attribute: str, values: set[str]) -> None:
        return


class SimulatedPrometheusSource:
    """The Prometheus source, for triggers only: all else is read from own metrics."""

    name = Source.PROMETHEUS

    def __init__(self, api: SimulatedPrometheus) -> None:
        self._api = api

    def measures(self, spec: GateSpec) -> bool:
        return spec.kind is GateKind.TRIGGER

    def measure(self, spec: GateSpec, scene: object) -> Reading:
        known = _NoDatabase(self._api, LABELS, scene.running + scene.control)  # type: ignore[arg-type, attr-defined]
        if not scene.running:  # type: ignore[attr-defined]
            return silent(Outcome.NO_DATA, self.name.value, "no agent has it yet", spec.query)
        return read_condition(self._api, known, spec, scene)  # type: ignore[arg-type]


def member(one: Collector, changed_at: datetime | None) -> Member:
    return Member(one.number, ((SERVICE_INSTANCE, uid_of(one.number)),), one.region, changed_at)
