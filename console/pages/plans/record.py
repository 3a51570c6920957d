"""What a plan would have caught among the past rollouts: one sentence, asked after the page is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.pages.frame.needs import HtmxRequest, needs
from console.pages.plans.views import find
from rollouts.analysis.backtest import Compared, PastRollout, Result, Would
from rollouts.analysis.past import back_test_last
from rollouts.engine.states import RolloutState
from rollouts.plans.plan import Plan

LAST = 50
_STOPS = frozenset({Would.ROLL_BACK, Would.PAUSE, Would.HOLD})
_BAD = frozenset({RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE})


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """How a plan would have done. Bad changes are those that came back, good ones those that succeeded;
    `unknown` are rollouts of both kinds that the plan's gates have no reading of, counted in neither."""

    caught: list[PastRollout]
    missed: list[PastRollout]
    stopped: list[PastRollout]
    passed: int
    unknown: int

    @property
    def bad(self) -> int:
        return len(self.caught) + len(self.missed)

    @property
    def good(self) -> int:
        return len(self.stopped) + self.passed


def record_of(results: Sequence[Result]) -> PlanRecord:
    """Count the outcomes of a back-test."""
    judged = [one for one in results if one.compared is not Compared.UNKNOWN]
    bad = [one for one in judged if one.rollout.state in _BAD]
    good = [one for one in judged if one.rollout.state is RolloutState.SUCCEEDED]
    return PlanRecord(
        caught=[one.rollout for one in bad if one.would in _STOPS],
        missed=[one.rollout for one in bad if one.would not in _STOPS],
        stopped=[one.rollout for one in good if one.would in _STOPS],
        passed=sum(one.would not in _STOPS for one in good),
        unknown=len(results) - len(judged),
    )


@require_GET
@needs("plans.view")
def record(request: HtmxRequest, name: str) -> HttpResponse:
    """Say what the saved plan would have done to the last rollouts that are over."""
    row = find(name)
    results = back_test_last(Plan.from_dict(row.parsed), request.actor, LAST)
    return render(request, "plans/_record.html", {"row": row, "record": record_of(results)})
