"""How a rollout went, read once: for the timeline page and for the page behind a link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from console.pages.rollbacks.course import Course, course_of
from console.pages.rollbacks.headline import Headline, headline_of
from console.pages.rollouts import page as rollout_page
from console.pages.rollouts import phases
from console.pages.rollouts.before import Before, before_and_after
from console.words import events as event_words
from console.words import states as words
from rollouts.engine.facts import GateKind
from rollouts.models import Event, Rollback, Rollout

MAX_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A line of the timeline, with where its evidence is: "" when there is nothing more to see."""

    line: event_words.Line
    url: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The rows of a timeline, oldest first, and of a way back its headline, course and charts."""

    rows: list[StoryRow]
    look: words.Look
    why: rollout_page.WhyLine
    headline: Headline | None
    back: Course | None
    before: list[Before]


def events_of(rollout: Rollout) -> list[Event]:
    """Read the events, oldest first."""
    return list(Event.objects.filter(rollout=rollout).order_by("seq")[:MAX_EVENTS])


def story_of(rollout: Rollout, now: datetime) -> Story:
    """Read the story of a rollout that was read `for_detail`."""
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    steps = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    return Story(
        rows=[_row(rollout, line) for line in event_words.lines(events_of(rollout))],
        look=phases.pill_look(rollout, steps),
        why=rollout_page.why_of(rollout),
        headline=headline_of(rollout, rollback, steps, now) if rollback is not None else None,
        back=course_of(rollback, now) if rollback is not None else None,
        before=before_and_after(rollout, rollback) if rollback is not None else [],
    )


def _row(rollout: Rollout, line: event_words.Line) -> StoryRow:
    """Say where the evidence of a line is: readings, the plan, the agents, the quarantine."""
    event = line.event
    inputs = event.inputs if isinstance(event.inputs, dict) else {}
    gate = inputs.get("gate")
    is_decided = event.act.startswith("gate_") or event.act in {"fail_phase", "roll_back"}
    if is_decided and isinstance(gate, dict) and gate.get("gate"):
        if gate.get("kind") == GateKind.FLOOR:  # counted from what agents said, not read
            return StoryRow(
                line, reverse("rollouts:detail", args=[rollout.pk]) + "#errors", _("errors")
            )
        query = urlencode({"gate": gate["gate"]})
        url = f"{reverse('rollouts:readings', args=[rollout.pk])}?{query}"
        return StoryRow(line, url, _("readings"))
    if event.act in {"quarantined", "quarantine_lifted"}:
        url = reverse("settings:quarantined", args=[rollout.version.config_hash])
        return StoryRow(line, url, _("quarantine"))
    if event.act in {"start_phase", "deployed", "rollback_wave", "fell_back", "lost"}:
        query = f"?{urlencode({'phase': event.phase})}" if event.phase else ""
        return StoryRow(line, reverse("rollouts:agents", args=[rollout.pk]) + query, _("agents"))
    return StoryRow(line)
