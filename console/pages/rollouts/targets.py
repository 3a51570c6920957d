"""The agents of a rollout as a picture and a legend: cells up to 1,000 agents, bars above.

Cells are ordered by phase and by their place in line, which never changes, so that a cell can be
told by its index for as long as the page is open (`cells` signals of the live feed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django.db.models import Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.lib.texts import said
from console.words import states as words
from rollouts.as_of import back_as_of, targets_as_of
from rollouts.engine.states import (
    FAILED_TARGETS,
    RollbackState,
    RollbackTargetState,
    RolloutState,
)
from rollouts.models import Rollback, RollbackTarget, Rollout, Target

MAX_CELLS = 1000
# In the order of the legend; `ALWAYS` are shown when there is none as well.
LEGEND = (
    *("applied", "applying", "coming_back", "returned", "failed_back"),
    *("failed", "timed_out", "fell_back", "lost", "offline", "queued", "todo"),
)
ALWAYS = frozenset({"applied"})
OPEN_BACK = (RollbackTargetState.WAITING, RollbackTargetState.OFFERED)
NOT_STARTED_STATES = frozenset({RolloutState.DRAFT, RolloutState.SCHEDULED})
COLUMNS = 31
PITCH = 14
CELL = 11


@dataclass(frozen=True, slots=True)
class Cell:
    """One agent of the picture."""

    name: str
    kind: str
    phase: str
    error: str
    uid: str


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of the legend, a link to the agents behind it."""

    kind: str
    label: object
    count: int
    url: str

    @property
    def is_hidden(self) -> bool:
        """Whether nothing has to be said of it now."""
        return not self.count and self.kind not in ALWAYS


def told_of(rollout: Rollout, at: datetime | None = None) -> QuerySet[Any]:
    """Return the targets as they are, or as they were at a time: with their state (`then`), the state
    they were taken back from (`then_from`), and `way`, the kind of those that are on their way back."""
    if at is None:
        own = Target.objects.filter(rollout=rollout)
        found: QuerySet[Any] = own.annotate(then=F("state"), then_from=F("taken_from"))
    else:
        found = targets_as_of(rollout, at)
    told: QuerySet[Any] = found.annotate(way=_way(rollout, at))
    return told


def _way(rollout: Rollout, at: datetime | None) -> Combinable:
    """Return what an agent's way back says of it while that is open, "" when it has none."""
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    none = Value("", CharField())
    if rollback is None or rollback.state != RollbackState.RUNNING:
        return none
    own = RollbackTarget.objects.filter(rollback=rollback).annotate(then=F("state"))
    back: QuerySet[Any] = own if at is None else back_as_of(rollback, at)
    kind = Case(When(online=True, then=Value("coming_back")), default=Value("offline"))
    mine = back.filter(agent=OuterRef("agent"), then__in=OPEN_BACK).annotate(way=kind)
    return Coalesce(Subquery(mine.values("way")[:1]), none)


def of_kind(kind: str) -> Q:
    """Return the condition behind one entry of the legend for targets of `told_of`; see
    `words.target_kind`."""
    started = Q(phase__started_at__isnull=False)
    at_work = Q(way="", then__in=["waiting", "offered"])
    return {
        "applied": Q(way="", then="applied"),
        **{str(state): Q(way="", then=state) for state in FAILED_TARGETS},
        "returned": Q(then="rolled_back") & ~Q(then_from__in=FAILED_TARGETS),
        "failed_back": Q(then="rolled_back", then_from__in=FAILED_TARGETS),
        "coming_back": ~Q(then="rolled_back") & Q(way="coming_back"),
        "offline": ~Q(then="rolled_back") & Q(way="offline") | started & at_work & Q(online=False),
        "applying": Q(way="", then="offered", online=True) | ~started & at_work & Q(then="offered"),
        "queued": started & at_work & Q(then="waiting", online=True),
        "todo": Q(way="", then="skipped") | ~started & at_work & Q(then="waiting"),
    }.get(kind, Q(pk=None))


def counted(rollout: Rollout, found: QuerySet[Any], at: datetime | None = None) -> dict[str, int]:
    """Count targets of `told_of` by kind in SQL, in the order of the legend. When each phase began is
    known already, and is not joined to each of its agents."""
    numbers = dict.fromkeys(words.TARGET, 0)
    begun = {phase.pk: has_begun(phase.started_at, at) for phase in rollout.phases.all()}
    rows = found.order_by().values_list("phase_id", "then", "online", "then_from", "way")
    for phase_id, state, online, was, way, number in rows.annotate(n=Count("pk")):
        numbers[words.target_kind(state, online, begun.get(phase_id, False), was, way)] += number
    return numbers


def cells_of(rollout: Rollout, at: datetime | None = None) -> list[Cell]:
    """Read the cells in their lasting order: one query, one more than MAX_CELLS where they are more."""
    rows = (
        told_of(rollout, at).order_by("phase__index", "position", "pk")
        .values_list(
            "agent__name", "then", "online", "phase__started_at", "phase__name", "error",
            "agent__instance_uid", "then_from", "way",
        )[: MAX_CELLS + 1]
    )  # fmt: skip
    return [
        Cell(
            name,
            words.target_kind(state, online, has_begun(started, at), was, way),
            phase,
            said(error),
            str(uid),
        )
        for name, state, online, started, phase, error, uid, was, way in rows
    ]


def has_begun(started: datetime | None, at: datetime | None) -> bool:
    """Whether a phase had begun: at a time, or by now."""
    return started is not None and (at is None or started <= at)


def grid(rollout: Rollout, cells: Sequence[Cell]) -> SafeString:
    """Draw the cells; each phase starts a new row, so that phases can be told apart."""
    drawn = []
    column = row = 0
    phase = cells[0].phase if cells else ""
    for index, cell in enumerate(cells):
        if cell.phase != phase:
            row += 1 if column else 0
            column, phase = 0, cell.phase
        # Kinds are our own words, the rest numbers: escaping 1,000 of them took a third of the page.
        drawn.append(
            f'<use href="#c-{cell.kind}" x="{column * PITCH}" y="{row * PITCH}" data-i="{index}"/>'
        )
        column += 1
        if column == COLUMNS:
            column, row = 0, row + 1
    height = (row + (1 if column else 0)) * PITCH - (PITCH - CELL)
    return format_html(
        '<svg class="agent-grid" id="grid-{}" data-names="grid-names" data-note="grid-note" '
        'viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        rollout.pk,
        COLUMNS * PITCH - (PITCH - CELL),
        max(height, CELL),
        COLUMNS * PITCH - (PITCH - CELL),
        max(height, CELL),
        sentence(cells),
        SafeString("".join(drawn)),
    )


def layout(rollout: Rollout, cells: Sequence[Cell]) -> str:
    """Return a short name of who stands where, so that a page knows when its grid is another one."""
    if rollout.state in NOT_STARTED_STATES:
        return "draft"
    return f"{crc32(chr(10).join(cell.uid for cell in cells).encode()):x}"


def names(cells: Sequence[Cell]) -> dict[str, object]:
    """Return what the cells say when they are pointed at, `edge-7: applied`: the name by its place,
    the word by the kind, which changes while the page is open."""
    said = {kind: str(look.word) for kind, look in words.TARGET.items()}
    return {"names": [cell.name for cell in cells], "words": said}


def counts(cells: Sequence[Cell]) -> dict[str, int]:
    """Count the cells by kind, in the order of the legend."""
    found = dict.fromkeys(words.TARGET, 0)
    for cell in cells:
        found[cell.kind] += 1
    return found


def sentence(cells: Sequence[Cell]) -> str:
    """What the picture says: `12 agents: 9 applied, 2 failed, 1 offline`."""
    parts = [
        f"{number} {words.TARGET[kind].word}" for kind, number in counts(cells).items() if number
    ]
    return _("%(n)d agents: %(parts)s") % {"n": len(cells), "parts": ", ".join(parts)}


def legend(rollout: Rollout, numbers: dict[str, int]) -> list[Key]:
    """Return the legend: every kind, because the live feed replaces its numbers one by one."""
    base = reverse("rollouts:agents", args=[rollout.pk])
    return [
        Key(kind, words.TARGET[kind].label, numbers[kind], f"{base}?{urlencode({'state': kind})}")
        for kind in LEGEND
    ]


def run_lengths(kinds: Sequence[str]) -> str:
    """Write the states of all cells shortly, `applied 120 failed 2`, to repair a grid after a gap."""
    return " ".join(f"{kind} {len(list(run))}" for kind, run in groupby(kinds))
