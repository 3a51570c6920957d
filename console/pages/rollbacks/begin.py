"""Begin a rollback by selector: who, to what, how; counted first, done only as it was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actor import Actor
from accounts.policy import can
from agents.selectors.errors import SelectorError
from console.lib.problems import Denied, FieldError, Invalid, Missing, Problem, Refused, Stale
from console.lib.texts import said
from console.pages.configs.names import ConfigName, names_of
from console.pages.frame.forms import (
    MAX_REVISION,
    REASON_MAX,
    LineField,
    Number,
    OneOf,
    PageForm,
    SelectorText,
    reason_of,
)
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.models import Config
from rollouts.rollback.preview import TYPE_COUNT_FROM, Move, WaysPreview, preview

METHODS = ("immediate", "gradual")
GOALS = ("previous", "version")
COUNT_FIRST = gettext_lazy("Count first: what is shown is what is done.")


class RollbackForm(PageForm):
    """Who goes back to what, how fast, and why; `count` and `seen` are what the preview showed."""

    act = OneOf(("count", "begin"), initial="count")
    q = SelectorText()
    to = OneOf(GOALS, initial=GOALS[0])
    config = LineField()
    version = Number(1, MAX_REVISION)
    method = OneOf(METHODS, initial=METHODS[0])
    reason = LineField()
    count = Number(0, MAX_REVISION, says=COUNT_FIRST)
    seen = LineField(cut=64)
    again = LineField(cut=20)

    def clean_reason(self) -> str:
        return reason_of(self.cleaned_data["reason"], needed=self.data.get("act") == "begin")

    def clean_again(self) -> str:
        """The number as people write it: 1,204 is 1204."""
        return "".join(c for c in self.cleaned_data["again"] if c not in ",. '\u00a0\u202f")


@dataclass(frozen=True, slots=True)
class MoveLine:
    """One line of the preview: `42 agents  edge v3 → v2`, or why so many stay."""

    agents: int
    leaves: ConfigName
    returns: ConfigName
    problem: str

    @property
    def goal(self) -> str:
        """Where they go: `v2` of the same config, else with its name."""
        is_same = self.leaves.config == self.returns.config
        return self.returns.short if is_same else self.returns.full


@dataclass(frozen=True, slots=True)
class Counted:
    """The preview as it is shown, or the problem that it met."""

    at: datetime
    found: WaysPreview | None
    moves: list[MoveLine]
    stranded: list[MoveLine]
    problem: Problem | None = None

    @property
    def caret(self) -> str:
        """Where the selector is wrong, two lines; "" when it is not."""
        return self.problem.caret if isinstance(self.problem, SelectorError) else ""


@require_http_methods(["GET", "POST"])
@needs("rollouts.view")
def new(request: HtmxRequest) -> HttpResponse:
    """Ask for a rollback by selector: counted first, then with a reason and as it was counted."""
    form = RollbackForm.sent(request)
    asked = form.known()
    problem: Problem | None = None
    if request.method == "POST" and asked["act"] == "begin":
        try:
            return _begin(request, form)
        except (Invalid, Refused, Denied, Missing, Stale) as found:
            problem = found
    context = _context(request, form, asked) | {"problem": problem}
    return render(request, "rollbacks/new.html", context, status=problem.status if problem else 200)


@require_POST
@needs("rollouts.view")
def count(request: HtmxRequest) -> HttpResponse:
    """Answer the preview alone, while the form is being filled in."""
    form = RollbackForm(request.POST)
    context = _context(request, form, form.known()) | {"is_part": True}
    return render(request, "rollbacks/new/_preview.html", context)


def _context(request: HtmxRequest, form: RollbackForm, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "asked": form.typed,
        "counted": counted_now(asked, request.actor) if asked["q"] else None,
        "configs": Config.objects.order_by("name"),
        "may_start": can(request.actor, "rollouts.rollback"),
        "type_from": TYPE_COUNT_FROM,
        "reason_max": REASON_MAX,
    }


def counted_now(asked: Mapping[str, Any], actor: Actor) -> Counted:
    """Count what the form asks for; a refusal becomes part of the answer."""
    now = timezone.now()
    try:
        found = preview(
            selector=asked["q"], to=goal_of(asked), config=asked["config"] or None, by=actor
        )
    except Problem as problem:
        return Counted(now, None, [], [], problem)
    names = names_of(h for m in (*found.moves, *found.stranded) for h in (m.from_hash, m.to_hash))
    return Counted(now, found, _lines(found.moves, names), _lines(found.stranded, names))


def goal_of(asked: Mapping[str, Any]) -> str | int:
    """Return what the agents go back to. Raises Invalid when a version is meant and none named."""
    if asked["to"] == GOALS[0]:
        return "previous"
    if asked["version"] is None:
        says = _("Write the number of the version.")
        raise Invalid(says, errors=[FieldError("version", says)])
    number: int = asked["version"]
    return number


def _lines(moves: tuple[Move, ...], names: Mapping[str, ConfigName]) -> list[MoveLine]:
    unknown = ConfigName("")
    return [
        MoveLine(
            move.agents,
            names.get(move.from_hash, unknown),
            names.get(move.to_hash, unknown),
            said(move.problem),
        )
        for move in moves
    ]


def _begin(request: HtmxRequest, form: RollbackForm) -> HttpResponse:
    asked = form.checked()
    if asked["count"] is None or not asked["seen"]:
        raise Invalid(str(COUNT_FIRST))
    _check_typed(asked, request.actor)
    rollback = rollback_selector(
        selector=asked["q"],
        to=goal_of(asked),
        config=asked["config"] or None,
        by=request.actor,
        reason=asked["reason"],
        method=asked["method"],
        seen_count=asked["count"],
        seen_preview=asked["seen"],
    )
    messages.success(request, _("The rollback has begun."))
    return HttpResponseRedirect(reverse("rollbacks:detail", args=[rollback.pk]), status=303)


def _check_typed(asked: Mapping[str, Any], actor: Actor) -> None:
    """Raise Invalid unless the number was typed where it has to be. Whether it still is the number
    is for the act to say, under its lock."""
    found = preview(
        selector=asked["q"], to=goal_of(asked), config=asked["config"] or None, by=actor
    )
    if found.must_be_typed and asked["again"] != str(asked["count"]):
        says = _("Type %(n)s, the number of agents that go back.") % {"n": f"{asked['count']:,}"}
        raise Invalid(says, errors=[FieldError("again", says)])
