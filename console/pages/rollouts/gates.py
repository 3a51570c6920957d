"""Gates as tiles: one reading beside its limit, its age and how many were taken (ui.md 4.6).

The verdict itself is made in `rollouts.analysis`; here it is only put into words and a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from console.lib.texts import said
from console.pages.drawing import plots
from console.pages.drawing.plots import Limit, PlotPoint
from console.words import numbers
from console.words import states as words
from rollouts.analysis.catalogue import CATALOGUE, words_of_source
from rollouts.engine.facts import GateFacts, GateKind
from rollouts.models import Measurement, Phase, Rollout
from rollouts.plans.metrics import Source

CLOSE = 0.8  # from 80 % of the way to the limit a passing gate is "close" (ui.md 1.3)
POINTS = 120
_BELOW = frozenset({">", ">=", "below"})
ORDER = list(words.GATE)


@dataclass(frozen=True, slots=True)
class Tile:
    """One gate, ready to be drawn. `anchor` is stable, so that a tile can be linked."""

    anchor: str
    gate: str
    metric: str
    title: str
    state: str
    look: words.Look
    value: str
    limit: str
    source: str
    at: datetime | None
    readings: int
    agents: int
    sentence: str
    query: str
    graph_url: str
    is_explained: bool
    spark: SafeString
    window_from: datetime | None
    kind: str
    waived_by: str


def fails_above(gate: GateFacts) -> bool:
    """Tell on which side of the limit the forbidden area lies."""
    return str(gate.operator or "") not in _BELOW


def state_of(gate: GateFacts) -> str:
    """Return the reading's state of ui.md 1.3. No data is never passing."""
    if gate.waived_by:
        return "overridden"
    if gate.firing or gate.level == "critical" or gate.verdict == "fail" or _is_beyond(gate):
        return "failing"
    if gate.no_data_since is not None:
        return "no_data"
    if gate.at is None:
        return "not_started"
    if gate.verdict == "inconclusive":
        return "inconclusive"
    if gate.level == "warning" or gate.pending_since is not None or is_close(gate):
        return "close"
    return "passing" if gate.verdict == "pass" else "insufficient"


def _is_beyond(gate: GateFacts) -> bool:
    """Tell whether the newest value is on the forbidden side, whatever may still be missing."""
    if gate.value is None or gate.limit is None or gate.no_data_since is not None:
        return False
    return gate.value > gate.limit if fails_above(gate) else gate.value < gate.limit


def is_close(gate: GateFacts) -> bool:
    """Tell whether the value is at least 80 % of the way from nought to its limit."""
    if gate.value is None or gate.limit is None:
        return False
    if fails_above(gate):
        return gate.limit > 0 and gate.value >= CLOSE * gate.limit
    return gate.limit < 1 and gate.value <= gate.limit + (1 - gate.limit) * (1 - CLOSE)


def limit_text(gate: GateFacts) -> str:
    """`limit 1 % · fails above` of a criterion, `warns at 1 %, acts at 5 %` of a guard."""
    if gate.limit is None:
        return ""
    limit = numbers.amount(gate.limit, gate.unit)
    side = _("fails above") if fails_above(gate) else _("fails below")
    if gate.kind == GateKind.CRITERION:
        return _("limit %(limit)s · %(side)s") % {"limit": limit, "side": side}
    if gate.warning_limit is None:
        return _("acts at %(limit)s") % {"limit": limit}
    warning = numbers.amount(gate.warning_limit, gate.unit)
    return _("warns at %(warning)s, acts at %(limit)s") % {"warning": warning, "limit": limit}


def _said(gate: GateFacts) -> str:
    """Return the sentence, and what the value was compared with and made from."""
    sentence, note = said(gate.sentence), said(gate.note)
    is_said = gate.no_data_since is not None or note in sentence
    if not sentence or is_said:
        return sentence or note
    return f"{sentence} {note[:1].upper()}{note[1:]}."


def _graph_url(gate: GateFacts) -> str:
    """Return where Prometheus draws the query, "" when it was not asked."""
    if gate.source != Source.PROMETHEUS or not gate.query or not settings.PROMETHEUS_URL:
        return ""
    asked = urlencode({"g0.expr": gate.query, "g0.tab": "0"})
    return f"{settings.PROMETHEUS_URL.rstrip('/')}/graph?{asked}"


def readings_by_gate(
    rollout: Rollout, *, phase: Phase | None = None
) -> dict[str, list[Measurement]]:
    """Return the newest readings of each gate, oldest first: one query for all gates."""
    own = Measurement.objects.filter(rollout=rollout)
    found = (
        (own if phase is None else own.filter(phase=phase))
        .annotate(
            _newest=Window(RowNumber(), partition_by=[F("gate")], order_by=F("at").desc()),
        )
        .filter(_newest__lte=POINTS)
        .only("gate", "metric", "at", "outcome", "value")
    )
    by_gate: dict[str, list[Measurement]] = {}
    for reading in found.order_by("at"):
        by_gate.setdefault(reading.gate, []).append(reading)
    return by_gate


def _spark(gate: GateFacts, readings: Sequence[Measurement], until: datetime) -> SafeString:
    start = readings[0].at if readings else until
    points = [
        PlotPoint((r.at - start).total_seconds(), r.value if r.outcome == "value" else None)
        for r in readings
    ]
    values = [p.value for p in points if p.value is not None]
    if values:
        label = _("%(title)s: %(low)s to %(high)s in %(n)d readings, now %(last)s") % {
            "title": gate.title,
            "low": numbers.amount(min(values), gate.unit),
            "high": numbers.amount(max(values), gate.unit),
            "n": len(values),
            "last": numbers.amount(values[-1], gate.unit),
        }
    else:
        label = _("%(title)s: no reading yet") % {"title": gate.title}
    limit = Limit(gate.limit, fails_above(gate)) if gate.limit is not None else None
    window_s = max((until - start).total_seconds(), 1.0)
    return plots.sparkline(points, limit, label, window_s=window_s)


def tiles(
    gates: Iterable[GateFacts], readings: Mapping[str, Sequence[Measurement]], until: datetime
) -> list[Tile]:
    """Return the tiles in the order failing, no data, close, passing; `until` ends the charts."""
    found = []
    for gate in gates:
        own = readings.get(gate.gate, [])
        state = state_of(gate)
        look = words.look("gate", state)
        if gate.waived_by:
            look = words.Look(
                look.token, look.icon, _("Overridden by %(name)s") % {"name": gate.waived_by}
            )
        found.append(
            Tile(
                anchor="gate-"
                + slugify(gate.gate.replace(":", " ").replace("_", " ").replace("@", " ")),
                gate=gate.gate,
                metric=gate.metric,
                title=said(gate.title),
                state=state,
                look=look,
                value=numbers.amount(gate.value, gate.unit),
                limit=limit_text(gate),
                source=said(words_of_source(gate.source)),
                at=gate.at,
                readings=gate.readings,
                agents=gate.agents,
                sentence=_said(gate),
                query=said(gate.query),
                graph_url=_graph_url(gate),
                is_explained=gate.metric in CATALOGUE,
                spark=_spark(gate, own, until),
                window_from=own[0].at if own else None,
                kind=gate.kind,
                waived_by=gate.waived_by or "",
            )
        )
    return sorted(found, key=lambda tile: ORDER.index(tile.state))


def summary(found: Sequence[Tile]) -> str:
    """`3 of 3 passing`, after what is not: `1 failing, 1 without data, 3 of 5 passing`."""
    passing = sum(t.state in {"passing", "close", "overridden"} for t in found)
    failing = sum(t.state == "failing" for t in found)
    silent = sum(t.state == "no_data" for t in found)
    parts = []
    if failing:
        parts.append(_("%(n)d failing") % {"n": failing})
    if silent:
        parts.append(_("%(n)d without data") % {"n": silent})
    if passing or not parts:
        parts.append(_("%(n)d of %(m)d passing") % {"n": passing, "m": len(found)})
    return ", ".join(parts)
