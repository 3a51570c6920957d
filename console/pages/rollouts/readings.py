"""The readings of one gate: a chart, a list, and the same as a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from console.api.rollouts import readings_file
from console.api.rollouts.answers import judged_at
from console.lib.problems import Missing
from console.lib.texts import said
from console.pages.frame import keyset
from console.pages.frame.forms import LineField, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import gates
from console.pages.rollouts.evidence import rows
from console.pages.rollouts.evidence.chart import chart_of
from console.pages.rollouts.evidence.rows import GateReading
from console.pages.rollouts.lookup import find
from console.words import numbers
from console.words import states as words
from console.words.plain import NO_VALUE
from rollouts.analysis.measure import gate_specs
from rollouts.analysis.verdicts import unread
from rollouts.engine.facts import GateFacts, GateKind
from rollouts.models import Measurement, Rollout


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading as the list shows it."""

    at: datetime
    phase: str
    value: str
    between: str
    agents: int
    control: str
    look: words.Look
    note: str


class _Asked(PageForm):
    gate = LineField()
    format = OneOf(("csv", "json"))
    after = LineField()


@require_GET
@needs("rollouts.view")
def readings(request: HtmxRequest, rollout_id: int) -> HttpResponseBase:
    """Show what one gate (`?gate=`) was judged on; `?format=csv` or `json` for the same as a file."""
    rollout = find(rollout_id, request.actor)
    asked = _Asked(request.GET).known()
    if not asked["gate"]:
        return HttpResponseRedirect(reverse("rollouts:detail", args=[rollout.pk]) + "#h-gates")
    gate = gate_of(rollout, asked["gate"])
    found = Measurement.objects.filter(rollout=rollout, gate=gate.gate)
    name = f"{rollout.number}-{gates.anchor_of(gate.gate)}"
    if asked["format"] == "csv":
        return readings_file.as_csv(request, name, found)
    if asked["format"] == "json":
        return JsonResponse({"readings": list(readings_file.plain_rows(found))})
    page = keyset.newest_first(found.only("pk"), request.GET)
    shown = found.filter(pk__in=[row.pk for row in page.rows]).order_by("-pk")
    url = f"{reverse('rollouts:readings', args=[rollout.pk])}?{urlencode({'gate': gate.gate})}"
    context = {
        "rollout": rollout,
        "gate": gate,
        "gate_title": said(gate.title),
        "anchor": gates.anchor_of(gate.gate),
        "chart_label": _("Readings of %(title)s, by arrow keys") % {"title": said(gate.title)},
        "kind": _("Gate") if gate.kind is GateKind.CRITERION else _("Guard"),
        "limit": gates.limit_text(gate),
        "url": url,
        "rows": [row_of(gate, reading) for reading in rows.of_rows(shown)],
        "more": f"{url}&after={page.older}" if page.older else "",
    }
    if request.htmx.target and request.htmx.target.endswith("-list"):
        return render(request, "rollouts/evidence/_list.html", context)
    until = judged_at(rollout, timezone.now())
    all_readings = rows.by_gate(rollout, gate=gate.gate).get(gate.gate, [])
    moments = [gates.decision_of(rollout), *gates.starts_of(rollout)]
    context["chart"] = chart_of(
        gate,
        all_readings,
        rollout.started_at or until,
        max(until, all_readings[-1].at) if all_readings else until,
        [moment for moment in moments if moment is not None],
    )
    return render(request, "rollouts/evidence/page.html", context)


def gate_of(rollout: Rollout, name: str) -> GateFacts:
    """Return what a gate asks, by its name, of the newest phase that has it. Raises Missing."""
    begun = [phase for phase in rollout.phases.all() if phase.started_at is not None]
    for phase in sorted(begun, key=lambda one: -one.index):
        for gate in gate_specs(rollout, phase):
            if gate.gate == name:
                return unread(gate)
    raise Missing("gate.missing", gate=name, rollout=rollout.number)


def row_of(gate: GateFacts, reading: GateReading) -> ReadingRow:
    """Put one reading into words."""
    between, control = NO_VALUE, NO_VALUE
    if reading.low is not None and reading.high is not None:
        low, high = (numbers.amount(end, gate.unit) for end in (reading.low, reading.high))
        between = _("%(low)s to %(high)s") % {"low": low, "high": high}
    if reading.control is not None:
        control = numbers.amount(reading.control.value, gate.unit)
    if reading.span is None:
        look = words.look("gate", "no_data")
    elif reading.is_bad:
        look = words.Look("bad", "octagon-x", _("Beyond the limit"))
    else:
        look = words.Look("ok", "ok", _("Within the limit"))
    return ReadingRow(
        at=reading.at,
        phase=reading.phase,
        value=numbers.amount(reading.value, gate.unit),
        between=between,
        agents=reading.agents,
        control=control,
        look=look,
        note=reading.note,
    )
