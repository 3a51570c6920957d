"""Limits of all rollouts (freeze windows, budgets, guards of environments) and rules of retirement:
plain lists and forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.models import Role
from accounts.policy import can, holders_of
from agents.actions.retirement_rules import delete_rule, save_rule
from agents.models import RetirementRule
from console.lib.problems import Denied, Invalid, Missing, Problem
from console.lib.yaml import load
from console.lib.yaml_scalars import YamlError
from console.pages.frame.context import zone_of
from console.pages.frame.forms import (
    Clock,
    Duration,
    Flag,
    LineField,
    Listed,
    LongText,
    Number,
    OneOf,
    PageForm,
    SelectorText,
    ShareField,
)
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.freeze_week import freeze_week
from console.words import plans as plan_words
from console.words import times
from rollouts.actions.limits.budgets import delete_budget, save_budget
from rollouts.actions.limits.environment_guards import (
    delete_environment_guard,
    save_environment_guard,
)
from rollouts.actions.limits.freeze_windows import delete_freeze_window, save_freeze_window
from rollouts.limits.freeze import frozen
from rollouts.limits.windows import window_of
from rollouts.models import Budget, BudgetLease, EnvironmentGuard, FreezeWindow
from rollouts.plans.plan import Threshold, Trigger

GUARD_EXAMPLE = "thresholds:\n  failure_rate: {warning: 0.5%, critical: 2%}\n"


class LimitForm(PageForm):
    """What every form of a limit says: save or delete which one, and why."""

    act = OneOf(("delete",))
    name = LineField()
    reason = LineField()


class FreezeForm(LimitForm):
    """A window; its ends are local to its zone, which the act knows."""

    environment = LineField()
    time_zone = LineField()
    starts_at = LineField()
    ends_at = LineField()
    weekdays = Listed(int)
    from_time = Clock()
    to_time = Clock()


class BudgetForm(LimitForm):
    """Budgets are named by their label."""

    label = LineField()
    max_agents = Number(0, 999_999_999, says=_l("Write a whole number, or leave it empty."))
    max_share = ShareField()


class GuardForm(LimitForm):
    """A guard, written as in a plan."""

    environment = LineField()
    text = LongText()

    def clean_text(self) -> dict[str, Any]:
        try:
            spec = load(self.cleaned_data["text"]).data or {}
        except YamlError as error:
            raise forms.ValidationError(str(error)) from error
        if not isinstance(spec, dict) or not spec.keys() <= {"thresholds", "triggers"}:
            text = _("Write thresholds: and triggers: as in a plan, nothing else.")
            raise forms.ValidationError(text)
        return spec


class RuleForm(LimitForm):
    """A rule of retirement."""

    selector = SelectorText()
    not_seen_for = Duration(needed=_l("Write a time like 30d."))
    take_over = Flag()


Given = Mapping[str, Any]


def _save_freeze(request: HtmxRequest, given: Given) -> None:
    save_freeze_window(
        name=given["name"],
        by=request.actor,
        reason=given["reason"],
        environment=given["environment"],
        time_zone=given["time_zone"] or str(zone_of(request.user)),
        starts_at=given["starts_at"] or None,
        ends_at=given["ends_at"] or None,
        weekdays=given["weekdays"],
        from_time=given["from_time"],
        to_time=given["to_time"],
    )


def _save_budget(request: HtmxRequest, given: Given) -> None:
    save_budget(
        label=given["label"],
        by=request.actor,
        reason=given["reason"],
        max_agents=given["max_agents"],
        max_share=given["max_share"],
    )


def _delete_budget(*, name: str, by: Actor, reason: str) -> None:
    delete_budget(label=name, by=by, reason=reason)


def _save_guard(request: HtmxRequest, given: Given) -> None:
    save_environment_guard(
        name=given["name"],
        by=request.actor,
        reason=given["reason"],
        environment=given["environment"],
        thresholds=given["text"].get("thresholds"),
        triggers=given["text"].get("triggers"),
    )


def _save_rule(request: HtmxRequest, given: Given) -> None:
    save_rule(
        name=given["name"],
        by=request.actor,
        reason=given["reason"],
        selector=given["selector"],
        not_seen_for=given["not_seen_for"],
        take_over=given["take_over"],
    )


def _freeze_rows(zone: tzinfo) -> dict[str, Any]:
    now = timezone.now()
    rows, windows = [], []
    for row in FreezeWindow.objects.order_by("name"):
        window = window_of(row)
        holds = frozen([window], [row.environment] if row.environment else [], now)
        days = ", ".join(str(WEEKDAYS_ABBR[day]) for day in row.weekdays)
        rows.append({"row": row, "days": days, "holds": holds})
        windows.append(window)
    week = freeze_week(windows, now, zone) if windows else []
    return {"rows": rows, "weekdays": list(WEEKDAYS_ABBR.items()), "week": week}


def _budget_rows(_zone: tzinfo) -> dict[str, Any]:
    used: dict[int, list[tuple[str, int]]] = {}
    leases = BudgetLease.objects.values_list("budget_id", "value").annotate(n=Count("pk"))
    for budget_id, value, number in leases.order_by("-n", "value"):
        used.setdefault(budget_id, []).append((value, number))
    budgets = Budget.objects.order_by("label")
    return {"rows": [{"row": row, "used": used.get(row.pk, [])[:5]} for row in budgets]}


def _guard_rows(_zone: tzinfo) -> dict[str, Any]:
    rows = []
    for row in EnvironmentGuard.objects.order_by("name"):
        words = [plan_words.threshold(Threshold.from_dict(t)) for t in row.spec["thresholds"]]
        words += [plan_words.trigger(Trigger.from_dict(t)) for t in row.spec["triggers"]]
        rows.append({"row": row, "words": words})
    return {"rows": rows, "example": GUARD_EXAMPLE}


def _rule_rows(_zone: tzinfo) -> dict[str, Any]:
    rules = RetirementRule.objects.order_by("name")
    return {"rows": [(rule, times.exact_span(rule.not_seen_for.total_seconds())) for rule in rules]}


@dataclass(frozen=True, slots=True)
class LimitKind:
    """One kind: its form, what saves and what deletes one, the rows of its list, what names it."""

    form: type[LimitForm]
    save: Callable[[HtmxRequest, Given], None]
    delete: Callable[..., None]
    rows: Callable[[tzinfo], dict[str, Any]]
    key: str = "name"


KINDS: dict[str, LimitKind] = {
    "freeze": LimitKind(FreezeForm, _save_freeze, delete_freeze_window, _freeze_rows),
    "budgets": LimitKind(BudgetForm, _save_budget, _delete_budget, _budget_rows, key="label"),
    "guards": LimitKind(GuardForm, _save_guard, delete_environment_guard, _guard_rows),
    "retirement": LimitKind(RuleForm, _save_rule, delete_rule, _rule_rows),
}


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def page(request: HtmxRequest, kind: str) -> HttpResponse:
    """List one kind of limit; save or delete one of them."""
    limit = KINDS[kind]
    form = limit.form.sent(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            _change(request, limit, form)
        except (Invalid, Denied, Missing) as found:
            problem = found
        else:
            messages.success(request, _("Saved. It holds at once."))
            return HttpResponseRedirect(reverse(f"settings:{kind}"), status=303)
    context = limit.rows(zone_of(request.user)) | {
        "kind": kind,
        "problem": problem,
        "given": form.typed,
        "may_write": can(request.actor, "policies.write"),
        "holders": holders_of(Role.ADMIN),
        "zone_label": str(zone_of(request.user)),
    }
    return render(
        request, f"settings/{kind}.html", context, status=problem.status if problem else 200
    )


def _change(request: HtmxRequest, limit: LimitKind, form: LimitForm) -> None:
    asked = form.known()
    if asked["act"] == "delete":
        limit.delete(name=asked[limit.key], by=request.actor, reason=asked["reason"])
    else:
        limit.save(request, form.checked())
