"""Every component in every state, for people who work on the console. Only with DEBUG.

The examples are made up here on purpose: this page shows shapes, not a fleet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from console.lib.problems import FieldError, Invalid, Stale
from console.pages.agents.page import Node
from console.pages.drawing import charts
from console.pages.drawing.charts import BarPart
from console.pages.drawing.plots import Limit
from console.pages.drawing.readings import Span
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts.evidence.chart import chart_of
from console.pages.rollouts.evidence.rows import GateReading
from console.pages.rollouts.gates import Tile
from console.pages.rollouts.targets import LEGEND
from console.words import states as words
from rollouts.engine.facts import GateFacts, GateKind, Verdict

WHYS = (
    ("run", "arc", "Sending 84 of 241.", "Staging continues when all online agents confirmed."),
    ("run", "clock", "Observing. All 3 gates pass.", "Staging finishes at 10:48 CET."),
    ("warn", "octagon-x", "Failure rate fails, 2 of 3.", "One more failed reading rolls back."),
    ("off", "question", "No reading for queue usage since 10:40.", "It holds until data returns."),
    ("wait", "hourglass", "Production needs approval.", "842 agents wait."),
    ("warn", "paused", "Paused by lin: “waiting for vendor fix”.", "Nothing is sent."),
    (
        "bad",
        "undo",
        "Export failure ratio is 2.31 %, limit 1 %.",
        "Rolling 359 agents back to v17.",
    ),
    ("ok", "ok", "Completed in 1 h 52 min.", "2 offline agents get it when they return."),
)


def _tile(state: str, value: str, limit: Limit, values: list[float | None]) -> Tile:
    now = timezone.now()
    gate = GateFacts(
        gate=state,
        kind=GateKind.CRITERION,
        metric="failure_rate",
        title="Export failure rate",
        verdict=Verdict.PASS,
        operator="<",
        limit=limit.value,
    )
    start = now - timedelta(minutes=20)
    readings = [
        _reading(gate, start + timedelta(seconds=30 * i), v, v is not None and v > limit.value)
        for i, v in enumerate(values)
    ]
    return Tile(
        anchor=f"gate-{state}",
        gate=state,
        metric="failure_rate",
        title="Export failure rate",
        state=state,
        look=words.look("gate", state),
        value=value,
        limit="limit 1 % · fails above",
        source="own_metrics",
        at=timezone.now() - timedelta(seconds=12) if values else None,
        readings=len(values),
        agents=120,
        sentence="",
        query="",
        graph_url="",
        is_explained=True,
        chart=chart_of(gate, readings, start, now),
        kind="criterion",
        waived_by="",
    )


def _reading(gate: GateFacts, at: datetime, value: float | None, is_bad: bool) -> GateReading:
    return GateReading(
        gate=gate.gate,
        metric=gate.metric,
        phase="canary",
        at=at,
        outcome="no_data" if value is None else "value",
        value=value,
        low=None if value is None else 0.8 * value,
        high=None if value is None else 1.2 * value,
        agents=120,
        is_bad=is_bad,
        level="",
        source="own_metrics",
        note="",
        control=None if value is None else Span(0.4, 0.35, 0.45),
        control_agents=842,
    )


def _tiles() -> list[Tile]:
    calm = [0.4 + 0.05 * (i % 3) for i in range(40)]
    rising = [0.4 + i / 80 for i in range(40)]
    return [
        _tile("failing", "2.31 %", Limit(1.0), [*calm, 1.2, 1.8, 2.3]),
        _tile("no_data", "–", Limit(1.0), [*calm[:30], None]),  # noqa: RUF001
        _tile("close", "0.89 %", Limit(1.0), [*rising]),
        _tile("passing", "0.42 %", Limit(1.0), [*calm]),
        _tile("not_started", "–", Limit(1.0), []),  # noqa: RUF001
    ]


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the tables of states and the components that take them."""
    now = timezone.now()
    deadline = now + timedelta(minutes=6, seconds=12)
    views = [
        {"why": rollout_page.WhyLine(say, then, token, icon, deadline)}
        for token, icon, say, then in WHYS
    ]
    leaf = Node("exporter:otlp/primary", False, "context deadline exceeded", [])
    good = Node("receiver:otlp", True, "StatusOK", [])
    tree = Node("Collector", False, "", [Node("pipeline:traces", False, "", [good, leaf]), good])
    parts = [
        BarPart(kind, n)
        for kind, n in zip(LEGEND, (45, 15, 5, 5, 5, 5, 3, 2, 2, 3, 10, 0), strict=True)
    ]
    context = {
        "kinds": words.KINDS,
        "views": views,
        "tiles": _tiles(),
        "tree": tree,
        "bar": charts.stacked_bar(parts, 100, "60 applied, 15 applying, 5 failed", css="thick"),
        "cells": LEGEND,
        "stale": Stale("lin paused this 8 s ago. Nothing was done."),
        "invalid": Invalid(
            "The plan cannot be read.",
            errors=[FieldError("plan.yaml:14", 'duration "15" has no unit; write 15m')],
        ),
        "long_id": "7c4e91d2a0b35f68e1d94c07b2fa6135883e0dc9a4f7215b6e90d3c8172fa4b5",
        "rollout": {"pk": 0},
        "seq": int(now.timestamp() * 1000),
        "times": [now - timedelta(seconds=4), now + timedelta(minutes=6), now - timedelta(days=3)],
    }
    return render(request, "styleguide.html", context)
