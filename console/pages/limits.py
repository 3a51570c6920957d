"""Limits of all rollouts (freeze windows, budgets, guards of environments) and rules of retirement:
plain lists and forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.policy import can
from agents.actions.retirement_rules import delete_rule, save_rule
from agents.models import RetirementRule
from console.lib.durations import BadValue, format_duration, parse_duration, parse_share
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem
from console.lib.yaml import load
from console.lib.yaml_scalars import YamlError
from console.pages.frame.context import zone_of
from console.pages.frame.needs import HtmxRequest, needs
from console.words import plans as plan_words
from rollouts.actions.budgets import delete_budget, save_budget
from rollouts.actions.environment_guards import delete_environment_guard, save_environment_guard
from rollouts.actions.freeze_windows import delete_freeze_window, save_freeze_window
from rollouts.limits.freeze import frozen
from rollouts.limits.windows import window_of
from rollouts.models import Budget, BudgetLease, EnvironmentGuard, FreezeWindow
from rollouts.plans.plan import Threshold, Trigger

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GUARD_EXAMPLE = "thresholds:\n  failure_rate: {warning: 0.5%, critical: 2%}\n"


def _clock(text: str, field: str) -> time | None:
    if not text:
        return None
    try:
        clock = time.fromisoformat(text)
    except ValueError as error:
        raise _wrong(field, _("Write a time like 18:00.")) from error
    if clock.tzinfo is not None:
        raise _wrong(field, _("Times of day are local to the zone of the window; leave it out."))
    return clock


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, errors=[FieldError(field, message)])


def _save_freeze(request: HtmxRequest, data: QueryDict) -> None:
    zone = zone_of(request.user)
    save_freeze_window(
        name=data.get("name", ""),
        by=request.actor,
        reason=data.get("reason", ""),
        environment=data.get("environment", ""),
        time_zone=data.get("time_zone", "").strip() or str(zone),
        starts_at=data.get("starts_at", "").strip() or None,
        ends_at=data.get("ends_at", "").strip() or None,
        weekdays=[int(day) for day in data.getlist("weekdays") if day.isdecimal()],
        from_time=_clock(data.get("from_time", ""), "from_time"),
        to_time=_clock(data.get("to_time", ""), "to_time"),
    )


def _delete_freeze(request: HtmxRequest, data: QueryDict) -> None:
    delete_freeze_window(name=data.get("name", ""), by=request.actor, reason=data.get("reason", ""))


def _save_budget(request: HtmxRequest, data: QueryDict) -> None:
    agents, share = data.get("max_agents", "").strip(), data.get("max_share", "").strip()
    if agents and not agents.isdecimal():
        raise _wrong("max_agents", _("Write a whole number, or leave it empty."))
    try:
        fraction = parse_share(share) if share else None
    except BadValue as bad:
        raise _wrong("max_share", str(bad)) from bad
    save_budget(
        label=data.get("label", ""),
        by=request.actor,
        reason=data.get("reason", ""),
        max_agents=int(agents[:9]) if agents else None,
        max_share=fraction,
    )


def _delete_budget(request: HtmxRequest, data: QueryDict) -> None:
    delete_budget(label=data.get("label", ""), by=request.actor, reason=data.get("reason", ""))


def _save_guard(request: HtmxRequest, data: QueryDict) -> None:
    try:
        spec = load(data.get("text", "").replace("\r\n", "\n")).data or {}
    except YamlError as error:
        raise _wrong("text", str(error)) from error
    if not isinstance(spec, dict) or not spec.keys() <= {"thresholds", "triggers"}:
        raise _wrong("text", _("Write thresholds: and triggers: as in a plan, nothing else."))
    save_environment_guard(
        name=data.get("name", ""),
        by=request.actor,
        reason=data.get("reason", ""),
        environment=data.get("environment", ""),
        thresholds=spec.get("thresholds"),  # type: ignore[arg-type]
        triggers=spec.get("triggers"),  # type: ignore[arg-type]
    )


def _delete_guard(request: HtmxRequest, data: QueryDict) -> None:
    name, reason = data.get("name", ""), data.get("reason", "")
    delete_environment_guard(name=name, by=request.actor, reason=reason)


def _freeze_rows() -> dict[str, Any]:
    now = timezone.now()
    rows = []
    for row in FreezeWindow.objects.order_by("name"):
        window = window_of(row)
        holds = frozen([window], [row.environment] if row.environment else [], now)
        days = ", ".join(WEEKDAYS[day] for day in row.weekdays)
        rows.append({"row": row, "days": days, "holds": holds})
    return {"rows": rows, "weekdays": list(enumerate(WEEKDAYS))}


def _budget_rows() -> dict[str, Any]:
    used: dict[int, list[tuple[str, int]]] = {}
    leases = BudgetLease.objects.values_list("budget_id", "value").annotate(n=Count("pk"))
    for budget_id, value, number in leases.order_by("-n", "value"):
        used.setdefault(budget_id, []).append((value, number))
    budgets = Budget.objects.order_by("label")
    return {"rows": [{"row": row, "used": used.get(row.pk, [])[:5]} for row in budgets]}


def _guard_rows() -> dict[str, Any]:
    rows = []
    for row in EnvironmentGuard.objects.order_by("name"):
        words = [plan_words.threshold(Threshold.from_dict(t)) for t in row.spec["thresholds"]]
        words += [plan_words.trigger(Trigger.from_dict(t)) for t in row.spec["triggers"]]
        rows.append({"row": row, "words": words})
    return {"rows": rows, "example": GUARD_EXAMPLE}


def _save_rule(request: HtmxRequest, data: QueryDict) -> None:
    try:
        span = parse_duration(data.get("not_seen_for", ""))
    except BadValue as bad:
        raise _wrong("not_seen_for", str(bad)) from bad
    save_rule(
        name=data.get("name", ""),
        by=request.actor,
        reason=data.get("reason", ""),
        selector=data.get("selector", ""),
        not_seen_for=span,
        take_over=bool(data.get("take_over")),
    )


def _delete_rule(request: HtmxRequest, data: QueryDict) -> None:
    delete_rule(name=data.get("name", ""), by=request.actor, reason=data.get("reason", ""))


def _rule_rows() -> dict[str, Any]:
    rules = RetirementRule.objects.order_by("name")
    return {"rows": [(rule, format_duration(rule.not_seen_for)) for rule in rules]}


Save = Callable[[HtmxRequest, QueryDict], None]
KINDS: dict[str, tuple[Save, Save, Callable[[], dict[str, Any]]]] = {
    "freeze": (_save_freeze, _delete_freeze, _freeze_rows),
    "budgets": (_save_budget, _delete_budget, _budget_rows),
    "guards": (_save_guard, _delete_guard, _guard_rows),
    "retirement": (_save_rule, _delete_rule, _rule_rows),
}


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def page(request: HtmxRequest, kind: str) -> HttpResponse:
    """List one kind of limit; save or delete one of them."""
    save, delete, rows = KINDS[kind]
    problem: Problem | None = None
    if request.method == "POST":
        try:
            (delete if request.POST.get("act") == "delete" else save)(request, request.POST)
        except (Invalid, Denied, Missing) as found:
            problem = found
        else:
            messages.success(request, _("Saved. It holds at once."))
            return HttpResponseRedirect(reverse(f"settings:{kind}"), status=303)
    context = rows() | {
        "kind": kind,
        "problem": problem,
        "given": request.POST,
        "may_write": can(request.actor, "policies.write"),
        "zone_label": str(zone_of(request.user)),
    }
    return render(
        request, f"settings/{kind}.html", context, status=problem.status if problem else 200
    )
