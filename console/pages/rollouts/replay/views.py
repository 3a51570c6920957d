"""The page of a replay: the regions of a rollout's page as they were, and a slider over its moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from console.lib.database.snapshot import snapshot
from console.pages.frame.forms import LineField, Number, PageForm
from console.pages.frame.needs import HtmxRequest, needs
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts.lookup import find
from console.pages.rollouts.replay import steps as stops
from console.pages.rollouts.replay.steps import Stop
from rollouts.as_of import as_of
from rollouts.models import Rollout


class _Asked(PageForm):
    at = LineField()
    step = Number()


@dataclass(frozen=True, slots=True)
class ReplayPlace:
    """Where a replay stands among its stops, and where its neighbours are."""

    steps: list[Stop]
    index: int

    @property
    def here(self) -> Stop:
        return self.steps[self.index]

    @property
    def last(self) -> int:
        return len(self.steps) - 1

    @property
    def before(self) -> Stop | None:
        return self.steps[self.index - 1] if self.index else None

    @property
    def after(self) -> Stop | None:
        return self.steps[self.index + 1] if self.index < self.last else None

    @property
    def event_before(self) -> Stop | None:
        return next((step for step in self.steps[: self.index][::-1] if step.says), None)

    @property
    def event_after(self) -> Stop | None:
        return next((step for step in self.steps[self.index + 1 :] if step.says), None)

    @property
    def events(self) -> list[Stop]:
        """The stops at which something happened."""
        return [step for step in self.steps if step.says]


@require_GET
@needs("rollouts.view")
def replay(request: HtmxRequest, rollout_id: int) -> HttpResponse:
    """Show a rollout as it was: `?at=` a time, or `?step=` one of its stops; without, at its end."""
    with snapshot():
        rollout = find(rollout_id, request.actor)
        now = timezone.now()
        asked = _Asked(request.GET).known()
        at = _time(asked["at"])
        if request.htmx.target == "then" and at is not None:
            return render(request, "rollouts/replay/_then.html", then_context(rollout, at, now))
        steps = stops.read(rollout, now)
        if not steps:
            return render(request, "rollouts/replay/page.html", {"rollout": rollout})
        place = ReplayPlace(steps, _index(steps, at, asked["step"]))
        context = then_context(rollout, at or place.here.at, now)
        context |= {"place": place, "ticks": stops.ticks(steps), "offsets": stops.offsets(steps)}
        return render(request, "rollouts/replay/page.html", context)


def then_context(rollout: Rollout, at: datetime, now: datetime) -> dict[str, object]:
    """Read the regions as they were."""
    past = as_of(rollout, min(at, now))
    view = rollout_page.read(past.rollout, past.at, past.at)
    return {
        "rollout": past.rollout,
        "view": view,
        "agents": rollout_page.agents_of(past.rollout, past.at),
        "at": past.at,
        "is_kept": past.is_kept,
        "seq": view.seq,
        "now": past.at,
    }


def _time(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _index(steps: list[Stop], at: datetime | None, step: int | None) -> int:
    if at is not None:
        return stops.at_or_before(steps, at)
    return len(steps) - 1 if step is None else min(step, len(steps) - 1)
