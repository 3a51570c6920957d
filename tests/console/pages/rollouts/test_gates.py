from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.lib.texts import text
from console.pages.frame.fragments import render
from console.pages.rollouts import gates
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts.evidence.chart import ChartMoment
from console.words import numbers
from console.words.plain import NO_VALUE
from rollouts.engine.facts import GateFacts, GateKind, Verdict
from rollouts.models import Measurement, Rollback, Rollout
from tests.make.configs import make_config
from tests.make.rollouts import make_readings, make_rollout
from tests.make.times import NOW

GATE = GateFacts(
    gate="criterion:queue",
    kind=GateKind.CRITERION,
    metric="queue",
    title="Queue",
    verdict=Verdict.PASS,
    operator="<",
    limit=0.9,
    value=0.1,
    at=NOW,
    source="prometheus",
    query='max(q{a="b"})',
    sentence="Queue is 0.1.",
    note="less that of the same agents before",
)


def tile(gate: GateFacts) -> gates.Tile:
    return gates.tiles([gate], {}, NOW, NOW)[0]


def test_a_tile_says_what_its_value_was_compared_with() -> None:
    assert tile(GATE).sentence == "Queue is 0.1. Less that of the same agents before."


def test_a_tile_says_how_many_series_are_none_of_ours() -> None:
    told = replace(GATE, kind=GateKind.TRIGGER, note=text("reading.strangers", count=37))
    assert tile(told).sentence == "Queue is 0.1. 37 series speak of strangers."


def test_a_silent_tile_says_its_reason_once() -> None:
    silent = replace(GATE, no_data_since=NOW, sentence="Queue has no data (away).", note="away")
    assert tile(silent).sentence == "Queue has no data (away)."


def test_a_query_of_prometheus_can_be_opened_there(settings: Any) -> None:
    settings.PROMETHEUS_URL = "https://prom.example/"
    expected = "https://prom.example/graph?g0.expr=max%28q%7Ba%3D%22b%22%7D%29&g0.tab=0"
    assert tile(GATE).graph_url == expected


@pytest.mark.parametrize("source", ["own_metrics", "opamp", ""])
def test_what_prometheus_was_not_asked_cannot(settings: Any, source: str) -> None:
    settings.PROMETHEUS_URL = "https://prom.example"
    assert tile(replace(GATE, source=source)).graph_url == ""


def test_sources_are_called_by_their_words() -> None:
    assert tile(replace(GATE, source="own_metrics")).source == "own metrics"


def test_a_reading_that_is_not_full_shows_no_value() -> None:
    shown = tile(replace(GATE, verdict=Verdict.INSUFFICIENT, value=0.0))
    assert (shown.value, str(shown.look.label)) == (NO_VALUE, "Not enough yet")


def test_a_value_beyond_its_limit_is_shown_before_the_reading_is_full() -> None:
    shown = tile(replace(GATE, verdict=Verdict.INSUFFICIENT, value=0.95))
    assert (shown.value, shown.state) == ("0.95", "failing")


def test_a_gate_of_a_decided_phase_waits_for_nothing() -> None:
    judged = text(
        "gate.must_be_but",
        wanted=text("gate.below", limit="10 %"),
        missing=text("gate.too_few_readings", readings=1, of=3),
    )
    sentence = text("gate.judged", gate="Queue", value="95 %", judged=judged, behind=["20 agents"])
    gate = replace(GATE, verdict=Verdict.INSUFFICIENT, sentence=sentence, note="")
    assert "1 of 3 readings of its window are in" in tile(gate).sentence
    decided = ChartMoment(NOW, "rollback decided", is_decision=True)
    [shown] = gates.tiles([gate], {}, NOW, NOW, [decided])
    assert shown.sentence == (
        "Queue is 95 %, it had to be below 10 %; the phase was decided before its window was full "
        "(20 agents)."
    )


def test_the_head_counts_gates_and_guards_apart_by_what_they_say() -> None:
    silent = replace(GATE, verdict=Verdict.INSUFFICIENT, no_data_since=NOW)
    failing = replace(GATE, verdict=Verdict.FAIL)
    early = replace(GATE, verdict=Verdict.INSUFFICIENT)
    guard = replace(GATE, kind=GateKind.THRESHOLD)
    assert summary(GATE, GATE) == "2 gates: 2 passing"
    assert summary(GATE, silent, silent) == "3 gates: 2 without data, 1 passing"
    assert summary(failing, early) == "2 gates: 1 failing, 1 not decided"
    assert summary(GATE, guard, guard) == "1 gate: 1 passing · 2 guards: 2 passing"


def summary(*found: GateFacts) -> str:
    return gates.summary(gates.tiles(found, {}, NOW, NOW))


def test_only_metrics_of_the_catalogue_lead_to_it() -> None:
    assert not tile(GATE).is_explained
    assert tile(replace(GATE, metric="failure_rate")).is_explained


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (10.0, "errors/min", "10 errors/min"),
        (1e6, "bytes/min", "1 MB/min"),
        (5 * 2**20, "bytes/min", "5 MiB/min"),
        (2516.0, "bytes/min", "2.46 KiB/min"),
        (None, "ms", NO_VALUE),
    ],
)
def test_a_number_never_loses_its_unit(value: float | None, unit: str, shown: str) -> None:
    assert numbers.amount(value, unit) == shown


@pytest.mark.django_db
def test_what_is_read_after_the_decision_is_neither_said_nor_drawn() -> None:
    version = make_config("edge", 2)[1]
    phases = ("passed", "failed", "skipped")
    rollout = make_rollout(version, state="rolled_back", phases=phases)
    now = timezone.now()
    rollout.phases.filter(index=1).update(started_at=now)
    Rollback.objects.create(rollout=rollout, kind="automatic", state="succeeded", decided_at=now)
    make_readings(rollout, 1)
    Measurement.objects.update(at=now + timedelta(seconds=1))
    view = rollout_page.read(Rollout.objects.for_detail().get(pk=rollout.pk), now)
    assert {(tile.at, tile.chart) for tile in view.criteria} == {(None, None)}
    context = {"tile": view.criteria[0], "rollout": rollout, "view": view, "seq": 1, "now": now}
    assert "No reading was taken" in render("rollouts/gates/_gate.html", context)
