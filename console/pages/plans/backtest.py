"""The back-test of a plan: what it, or a changed text of it, would have done to past rollouts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from console.lib.problems import Invalid, Problem
from console.lib.texts import said
from console.pages.frame.forms import LongText, PageForm, Parsed
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.frame.places import wrong_places
from console.pages.plans.views import find
from console.words import backtests as backtest_words
from rollouts.analysis.past import back_test_last
from rollouts.plans.parse import parse_thresholds

CHOICES = (10, 20, 50)
MOST_TEXT = 200_000


class BackTestForm(PageForm):
    """The text to try, and on how many of the last rollouts."""

    text = LongText()
    last = Parsed(lambda text: CHOICES[[str(n) for n in CHOICES].index(text)])


@require_http_methods(["GET", "POST"])
@needs("plans.view")
def page(request: HtmxRequest, name: str) -> HttpResponse:
    """Run the plan as it is saved (GET), or as it is written in the form (POST; saves nothing)."""
    row = find(name)
    given = BackTestForm.sent(request).known()
    text = given["text"] if request.method == "POST" else row.text
    last = given["last"] or CHOICES[1]
    try:
        rows, problem = _rows(request, text, last), None
    except Invalid as found:
        rows, problem = [], found
    context = {"row": row, "text": text, "last": last, "choices": CHOICES, "rows": rows}
    context |= {"problem": problem, "places": wrong_places(problem)}
    return render(request, "plans/backtest.html", context, status=_status(problem))


def _rows(request: HtmxRequest, text: str, last: int) -> list[dict[str, object]]:
    if len(text) > MOST_TEXT:
        raise Invalid(_("The plan is too long."))
    results = back_test_last(parse_thresholds(text), request.actor, last)
    return [
        {
            "rollout": one.rollout,
            "look": backtest_words.LOOKS[one.compared],
            "would": backtest_words.would(one),
            "at": one.at,
            "compared": backtest_words.compared(one),
            "sentence": said(one.sentence),
            "notes": backtest_words.notes(one),
        }
        for one in results
    ]


def _status(problem: Problem | None) -> int:
    return problem.status if problem else 200
