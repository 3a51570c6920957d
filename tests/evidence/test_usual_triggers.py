"""The triggers that operators already have, as they are written, on a Prometheus that scrapes
collectors under their own names, and other programs that fare badly meanwhile. Where the trigger that
looks a week back is asked, it has done so for longer than a week."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rollouts.models import Event, Measurement
from tests.evidence.collectors import GOOD, STEP_S, Behaviour, write, write_strangers
from tests.evidence.prometheus import History, Prometheus
from tests.rollouts.fleet import Fleet, state_of

pytestmark = [pytest.mark.real, pytest.mark.django_db]

Serve = Callable[..., None]
DAYS = 8.0  # longer than the range of the trigger on CPU
TRIGGERS = {
    "export_failures": ("rate(otelcol_exporter_send_failed_spans[5m]) > 0.001", "5m"),
    "cpu": (
        "(rate(process_cpu_seconds_total[5m]) - "
        "avg_over_time(rate(process_cpu_seconds_total[5m])[7d:5m])) > 0.1",
        "5m",
    ),
    "memory": ("deriv(process_resident_memory_bytes[10m]) > 10485760", "10m"),
    "errors": ('rate(log_messages{level="error"}[5m]) > 10', "3m"),
}
FAULTS = {
    "export_failures": replace(GOOD, send_failed=1.0),
    "cpu": replace(GOOD, cpu=0.5),
    "memory": replace(GOOD, leak=60 * 15e6),
    "errors": replace(GOOD, errors=60 * 20.0),
}
PLAN: dict[str, Any] = {
    "name": "usual",
    "phases": [{"name": "all", "weight": "100%", "duration": "22m"}],
    "bake": "10s",
    "rollback": {
        "triggers": [
            {"name": name, "condition": condition, "for": held, "action": "rollback"}
            for name, (condition, held) in TRIGGERS.items()
        ]
    },
}


@pytest.fixture
def serve(tmp_path: Path, settings: Any) -> Iterator[Serve]:
    """Start a Prometheus that scrapes the fleet and strangers, and point the product at it."""
    server = Prometheus(tmp_path)

    def start(fleet: Fleet, after: Behaviour, *, days: float = 0.0, **more: Any) -> None:
        history = History()
        change_at = fleet.now + timedelta(seconds=2 * STEP_S)
        known: dict[str, Any] = {"change_at": change_at, "days": days}
        write(history, fleet.agents, after=after, scraped=True, **known, **more)
        write_strangers(history, **known)
        server.start(history)
        settings.PROMETHEUS_URL = server.url

    yield start
    server.stop()


def fired() -> set[str]:
    return set(
        Measurement.objects.filter(breached=True, gate__startswith="trigger:").values_list(
            "gate", flat=True
        )
    )


@pytest.mark.parametrize("name", FAULTS)
def test_each_fires_on_its_fault_and_on_nothing_else(name: str, serve: Serve) -> None:
    fleet = Fleet(4)
    serve(fleet, FAULTS[name], days=DAYS if name == "cpu" else 0.0)
    rollout = fleet.start(PLAN)
    for _ in range(23):
        fleet.run(60, step=STEP_S)
        if state_of(rollout) == "rolled_back":
            break
    assert fired() == {f"trigger:{name}"}
    assert state_of(rollout) == "rolled_back"
    event = Event.objects.get(rollout=rollout, act="roll_back")
    assert str(event.reason).startswith(name.replace("_", " ").capitalize())


def test_strangers_that_fare_badly_fire_none(serve: Serve) -> None:
    fleet = Fleet(4)
    serve(fleet, GOOD, days=DAYS)
    rollout = fleet.start(PLAN)
    fleet.run(23 * 60, step=STEP_S)
    newest = Measurement.objects.filter(rollout=rollout, gate="trigger:cpu").order_by("-at")[0]
    assert newest.breached is False, str(newest.note)
    assert "series speak of strangers" in str(newest.note)
    assert "otelcol_process_cpu_seconds_total for process_cpu_seconds_total" in str(newest.note)
    assert fired() == set()
    fleet.run(60, step=STEP_S)
    assert state_of(rollout) == "succeeded"


def test_what_was_before_the_change_does_not_count(serve: Serve) -> None:
    """Everything failed until the change, which mends it: the ranges would still see it after."""
    fleet = Fleet(4)
    serve(fleet, GOOD, before=replace(GOOD, send_failed=50.0, errors=3000.0, leak=1.2e9))
    rollout = fleet.start(PLAN)
    fleet.run(8 * 60, step=STEP_S)
    assert fired() == set()
    notes = Measurement.objects.filter(rollout=rollout, gate="trigger:memory", breached=False)
    assert any("ranges cut to" in str(note) for note in notes.values_list("note", flat=True))
