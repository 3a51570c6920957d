"""What the rollout page shows, read once: used by the page, its htmx parts and the live feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.dateparse import parse_datetime

from console.api.rollouts.answers import judged_at
from console.lib.texts import spoken
from console.pages.frame.fragments import seq_of
from console.pages.rollbacks.headline import Headline, headline_of
from console.pages.rollouts import gates, phases, targets
from console.pages.rollouts.evidence import rows as evidence_rows
from console.pages.said import NO_ERRORS, ErrorsView, view_of
from console.words import states as words
from console.words import why
from console.words.events import Line, newest_first
from console.words.plain import plain
from rollouts.analysis.measure import gates_now
from rollouts.analysis.scene import watched_phase
from rollouts.engine.decide import Code
from rollouts.engine.facts import Counts, GateKind
from rollouts.engine.states import RolloutState
from rollouts.errors import report
from rollouts.models import Event, Phase, Rollback, Rollout

RECENT_EVENTS = 8
# Those that were unhealthy before they went back are not counted any more; their history is read.
_CAME_BACK = frozenset(
    {RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}
)
CHART_GROWS = timedelta(seconds=30)  # at once, where a phase takes longer than its time
WHY_ICONS: dict[str, str] = {
    Code.OBSERVING: "clock",
    Code.PAUSED: "paused",
    Code.NO_DATA: "question",
    Code.FROZEN: "lock",
    Code.ROLLING_BACK: "undo",
}
TONE_ICONS = {
    "run": "arc",
    "ok": "ok",
    "warn": "triangle",
    "bad": "octagon-x",
    "wait": "hourglass",
}


@dataclass(frozen=True, slots=True)
class WhyLine:
    """The one sentence of state, with what comes next and when (ui.md 4.6)."""

    say: str
    next: str
    token: str
    icon: str
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which kinds of agents the first phase meets, in one sentence; one that it misses is a warning."""

    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class View:
    """Everything of the page that does not depend on who looks at it."""

    rollout: Rollout
    phases: list[phases.PhaseView]
    look: words.Look
    why: WhyLine
    tiles: list[gates.Tile]
    gates_summary: str
    events: list[Line]
    way_back: Headline | None
    coverage: Coverage
    errors: ErrorsView
    seq: int
    is_over: bool

    @property
    def criteria(self) -> list[gates.Tile]:
        """The gates a phase must pass."""
        return [tile for tile in self.tiles if tile.kind == GateKind.CRITERION]

    @property
    def guards(self) -> list[gates.Tile]:
        """Thresholds and triggers: watched all the time."""
        return [tile for tile in self.tiles if tile.kind != GateKind.CRITERION]


def coverage_of(rollout: Rollout) -> Coverage:
    """Read what the preview counted."""
    found = (rollout.preview or {}).get("coverage") or {}
    return Coverage(plain(spoken(found.get("text", "")), limit=400), not found.get("missing"))


def why_of(rollout: Rollout) -> WhyLine:
    """Read the stored why line; an empty one says the state, never nothing."""
    stored = spoken(rollout.why or {})
    look = words.look("rollout", rollout.shown_state)
    token = why.tone(rollout.why or {}) or look.token
    code = str(stored.get("code") or "")
    return WhyLine(
        say=stored.get("say") or str(look.label),
        next=stored.get("next") or "",
        token=token,
        icon=WHY_ICONS.get(code) or TONE_ICONS.get(token) or look.icon,
        deadline=parse_datetime(stored["deadline"]) if stored.get("deadline") else None,
    )


def read(rollout: Rollout, now: datetime, then: datetime | None = None) -> View:
    """Read the page. Queries: phases, gates, readings, events, way back, errors.

    With `then`, of a rollout as it was at that time (`rollouts.as_of`): what the agents said is not
    known of it.
    """
    steps = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    watched = watched_phase(steps)
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    tiles: list[gates.Tile] = []
    if watched is not None:
        until = judged_at(rollout, then or now)
        # What is read after the decision is no part of it: chart and sentence are of one moment.
        readings = evidence_rows.by_gate(rollout, phase=watched, until=until)
        tiles = gates.tiles(
            gates_now(rollout, steps, until, skew=timedelta()),
            readings,
            watched.started_at or until,
            _charted_until(rollout, watched, until),
            gates.moments_of(rollout, watched),
        )
    events = Event.objects.filter(rollout=rollout)
    if then is not None:
        events = events.filter(at__lte=then)
    return View(
        rollout=rollout,
        phases=phases.views(rollout, steps),
        look=phases.pill_look(rollout, steps),
        why=why_of(rollout),
        tiles=tiles,
        gates_summary=gates.summary(tiles),
        events=newest_first(events.order_by("-seq"), RECENT_EVENTS),
        way_back=None
        if rollback is None
        else headline_of(rollout, rollback, steps, then or now, is_past=then is not None),
        coverage=coverage_of(rollout),
        errors=errors_of(rollout, steps) if then is None else NO_ERRORS,
        seq=seq_of(now),
        is_over=rollout.finished_at is not None,
    )


def errors_of(rollout: Rollout, steps: Sequence[Phase]) -> ErrorsView:
    """Read what the agents said; asks nothing while nobody has failed."""
    if rollout.state not in _CAME_BACK and not any(
        Counts.from_dict(step.counts).told.bad for step in steps
    ):
        return NO_ERRORS
    return view_of(report.of_rollout(rollout), rollout)


def _charted_until(rollout: Rollout, phase: Phase, until: datetime) -> datetime:
    """Return where the charts of a phase end. While it is watched, at the end of its time: a picture
    that grew with each second would be another one at each look."""
    is_decided = rollout.finished_at is not None or hasattr(rollout, "rollback")
    if is_decided or until < (phase.started_at or until):
        return until
    began = phase.deployed_at or phase.started_at or until
    planned = began + timedelta(seconds=float(phase.spec["duration_s"]))
    late = until - planned
    return planned + max(0, -(-late // CHART_GROWS)) * CHART_GROWS


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents region: a grid of cells, or only the legend above `targets.MAX_CELLS` agents.
    `layout` says whose cell stands where: while it is the same, cells only change their state."""

    total: int
    layout: str
    grid: str
    cells: list[str]
    names: dict[str, object]
    legend: list[targets.Key]


def agents_of(rollout: Rollout, then: datetime | None = None) -> Agents:
    """Read the agents region: one query for the cells, or for the legend alone where the phases say
    that they are too many for cells."""
    known = sum(phases.counts_of(step).members for step in rollout.phases.all())
    cells = targets.cells_of(rollout, then) if known <= targets.MAX_CELLS else []
    if len(cells) > targets.MAX_CELLS:  # phases that were not counted yet
        cells = []
    numbers = (
        targets.counts(cells)
        if cells
        else targets.counted(rollout, targets.told_of(rollout, then), then)
    )
    return Agents(
        total=sum(numbers.values()),
        layout=targets.layout(rollout, cells),
        grid=targets.grid(rollout, cells) if cells else "",
        cells=[cell.kind for cell in cells],
        names=targets.names(cells),
        legend=targets.legend(rollout, numbers),
    )
