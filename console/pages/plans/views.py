"""Plans: list, one plan, save a plan of one's own."""

from __future__ import annotations

import re
from itertools import chain, count

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.policy import can
from console.lib.problems import Invalid, Missing, Problem, Refused
from console.pages.frame.forms import LineField, LongText, OneOf, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.frame.places import wrong_places
from console.words import plans as plan_words
from console.words.plans import PlanTrack
from rollouts.actions.files.save_plan import checked_plan, save_plan
from rollouts.analysis.dry_run import dry_answers, has_promql
from rollouts.models import Plan as PlanRow
from rollouts.plans.plan import Plan

# At the beginning of a line: the name of the plan, not that of a phase.
_NAME_LINE = re.compile(r"^(name:[ \t]*)\S.*$", re.MULTILINE)


class PlanForm(PageForm):
    """A plan as it is written; `check` says what is wrong and draws it, and saves nothing."""

    name = LineField()
    text = LongText()
    act = OneOf(("check", "save"), initial="save")


class _Asked(PageForm):
    """`?from=NAME`: the plan that is copied, under a name of its own."""

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.fields["from"] = LineField()


def find(name: str) -> PlanRow:
    """Return a stored plan. Raises Missing."""
    row = PlanRow.objects.select_related("updated_by").filter(name=name).first()
    if row is None:
        raise Missing(_("There is no plan %(name)s.") % {"name": name})
    return row


@require_GET
@needs("plans.view")
def plan_list(request: HtmxRequest) -> HttpResponse:
    """List the plans, built-in ones first."""
    found = PlanRow.objects.select_related("updated_by").order_by("-built_in", "name")
    rows = [(row, plan_words.track(Plan.from_dict(row.parsed))) for row in found]
    context = {"rows": rows, "may_write": can(request.actor, "plans.write")}
    return render(request, "plans/list.html", context)


@require_GET
@needs("plans.view")
def detail(request: HtmxRequest, name: str) -> HttpResponse:
    """Show one plan in words and as it was written."""
    row = find(name)
    plan = Plan.from_dict(row.parsed)
    context = {
        "row": row,
        "plan": plan,
        "track": plan_words.track(plan),
        "conditions": [(t.name, t.condition) for t in plan.rollback.triggers],
        "asks_prometheus": has_promql(plan),
        "may_write": can(request.actor, "plans.write"),
    }
    return render(request, "plans/detail.html", context)


@require_GET
@needs("plans.view")
def today(request: HtmxRequest, name: str) -> HttpResponse:
    """What the PromQL of a plan finds now; asked after the page is shown, for it may take seconds."""
    plan = Plan.from_dict(find(name).parsed)
    answers = dry_answers(plan, timezone.now())
    rows = [(answer, plan_words.today(answer)) for answer in answers]
    return render(request, "plans/_today.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@needs("plans.write")
def edit(request: HtmxRequest, name: str = "") -> HttpResponse:
    """Write a plan; a copy of another one with `?from=NAME`."""
    if request.method == "GET":
        source = name or _Asked(request.GET).known()["from"]
        text = find(source).text if source else ""
        if source and not name:
            name = _free_name(source)
            text = renamed(text, name)
        return _form(request, name, text, None)
    given = PlanForm(request.POST).known()
    wanted, text = given["name"] or name, given["text"]
    try:
        if given["act"] == "check":
            checked = checked_plan(name=wanted, text=text)
            return _form(request, wanted, text, None, plan_words.track(checked))
        row = save_plan(name=wanted, text=text, by=request.actor)
    except (Invalid, Refused) as problem:
        return _form(request, wanted, text, problem)
    return HttpResponseRedirect(reverse("plans:detail", args=[row.name]), status=303)


def _free_name(source: str) -> str:
    """Return a name for a copy that no plan has yet: `standard-copy`, `standard-copy-2`."""
    base = f"{source}-copy"
    taken = set(PlanRow.objects.filter(name__startswith=base).values_list("name", flat=True))
    names = chain([base], (f"{base}-{n}" for n in count(2)))
    return next(name for name in names if name not in taken)


def renamed(text: str, name: str) -> str:
    """Return the text of a plan with its own name changed; all else stays as it was written. Pure."""
    return _NAME_LINE.sub(lambda found: f"{found[1]}{name}", text, count=1)


def _form(
    request: HtmxRequest,
    name: str,
    text: str,
    problem: Problem | None,
    track: PlanTrack | None = None,
) -> HttpResponse:
    context = {
        "name": name,
        "text": text,
        "problem": problem,
        "places": wrong_places(problem),
        "track": track,
    }
    return render(request, "plans/edit.html", context, status=problem.status if problem else 200)
