"""Readiness of a rollout, target by target: each finding leads to the agents that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from agents.models import Quarantine
from console.lib.texts import spoken
from console.pages.frame import keyset
from console.pages.frame.forms import Flag, LineField, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts.lookup import find
from console.pages.rollouts.wizard.preview import ReadinessLine, check_of
from rollouts.drafts.finding_agents import targets_of
from rollouts.drafts.readiness import about, readiness_of
from rollouts.models import Rollout, Target

LABELS = {
    "components": _("lacks components"),
    "components_unknown": _("components not reported"),
    "previous_version": _("no known-good version"),
    "previous_version_lost": _("runs a version that is not kept here"),
    "previous_version_kept": _("runs a version that is quarantined for itself"),
    "previous_version_unsigned": _("runs a version without a valid signature"),
    "offline": _("offline"),
    "health": _("unhealthy already"),
    "reports": _("does not report config status"),
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One target and what was found about it, in a few words each."""

    target: Target
    found: list[tuple[ReadinessLine, object]]


@dataclass(frozen=True, slots=True)
class ReadyCounts:
    """How many targets stand how: `ready` are those that nothing was found about, and that have not refused
    this very version. `refused_at` is when the last one did."""

    all: int
    ready: int
    refused: int
    refused_at: datetime | None


class _Filter(PageForm):
    check = LineField()
    all = Flag()


@require_GET
@needs("rollouts.view")
def page(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """List the findings as they are now, and the targets that something was found about: those of
    `?check=`, or with `?all=1` the ready ones too."""
    rollout = find(rollout_id, request.actor)
    asked = _Filter(request.GET).known()
    findings = readiness_of(rollout)
    targets = _with_refusals(rollout)
    is_concerned = reduce(or_, (f.concern.q() for f in findings if f.concern), REFUSED)
    totals = _totals(rollout, targets, is_concerned)
    if asked["check"]:
        these = (f.concern.q() for f in findings if f.concern and f.check == asked["check"])
        targets = targets.filter(
            REFUSED if asked["check"] == "refused" else reduce(or_, these, Q(pk__in=[]))
        )
    elif not asked["all"]:
        targets = targets.filter(is_concerned)
    total = None if asked["check"] else totals.all if asked["all"] else totals.all - totals.ready
    rows = keyset.in_line(targets.select_related("agent", "phase"), request.GET, total=total)
    checks = {finding.check: check_of(spoken(finding.to_dict()), rollout) for finding in findings}
    context = {
        "rollout": rollout,
        "checks": checks.values(),
        "chosen": asked["check"],
        "all": asked["all"],
        "totals": totals,
        "topics": [rollout.topic, "agents"],
        "follows": ["rollout-changed", "agents-changed"],
        "page": rows,
        "rows": [
            FindingRow(t, [(checks[f.check], LABELS[f.check]) for f in about(t, findings)])
            for t in rows.rows
        ],
    }
    return render(request, "rollouts/readiness/list.html", context)


REFUSED = Q(has_refused=True)


def _with_refusals(rollout: Rollout) -> QuerySet[Target]:
    """Return the targets with their facts, and whether each is kept from this very version."""
    kept = Quarantine.objects.filter(
        agent=OuterRef("agent"), config_hash=rollout.version.config_hash, lifted_at=None
    )
    return targets_of(rollout).annotate(
        has_refused=Exists(kept), refused_at=Subquery(kept.order_by("-pk").values("at")[:1])
    )


def _totals(rollout: Rollout, targets: QuerySet[Target], is_concerned: Q) -> ReadyCounts:
    """Count the targets: one query."""
    numbers = targets.order_by().aggregate(
        all=Count("pk"),
        refusals=Count("pk", filter=REFUSED),
        last=Max("refused_at"),
        concerned=Count("pk", filter=is_concerned),
    )
    return ReadyCounts(
        all=numbers["all"],
        ready=numbers["all"] - numbers["concerned"],
        refused=numbers["refusals"],
        refused_at=numbers["last"],
    )
