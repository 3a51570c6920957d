"""Readiness of a rollout, target by target: each finding leads to the agents that it is about."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from console.lib.texts import spoken
from console.pages.frame import keyset
from console.pages.frame.forms import LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts.lookup import find
from console.pages.rollouts.wizard.preview import ReadinessLine, check_of
from rollouts.drafts.finding_agents import targets_of
from rollouts.drafts.readiness import about, readiness_of, targets_with
from rollouts.models import Target

LABELS = {
    "components": _("lacks components"),
    "components_unknown": _("components not reported"),
    "previous_version": _("no known-good version"),
    "previous_version_lost": _("runs a version that is not kept here"),
    "previous_version_kept": _("runs a version that is quarantined for itself"),
    "offline": _("offline"),
    "health": _("unhealthy already"),
    "reports": _("does not report config status"),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One target and what was found about it, in a few words each."""

    target: Target
    found: list[tuple[ReadinessLine, object]]


class _Filter(PageForm):
    check = LineField()


@require_GET
@needs("rollouts.view")
def page(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """List the findings as they are now, and the targets: all, or those of `?check=`."""
    rollout = find(rollout_id, request.actor)
    chosen = _Filter(request.GET).known()["check"]
    findings = readiness_of(rollout)
    asked = [finding for finding in findings if finding.check == chosen]
    found = targets_with(rollout, asked) if chosen else targets_of(rollout)
    rows = keyset.in_line(found.select_related("agent", "phase"), request.GET)
    checks = {finding.check: check_of(spoken(finding.to_dict()), rollout) for finding in findings}
    context = {
        "rollout": rollout,
        "checks": checks.values(),
        "chosen": chosen,
        "topics": [rollout.topic],
        "follows": ["rollout-changed"],
        "page": rows,
        "rows": [
            FindingRow(t, [(checks[f.check], LABELS[f.check]) for f in about(t, findings)])
            for t in rows.rows
        ],
    }
    return render(request, "rollouts/readiness.html", context)
