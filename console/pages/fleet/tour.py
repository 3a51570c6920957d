"""What to try in a demo: a version that passes, a second person, a version that comes back by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from accounts.actor import Actor
from accounts.policy import can
from console.demo import files
from console.demo.people import CREDENTIALS_FILE
from console.pages.fleet.uses import VersionUses
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.models import Phase, Rollout
from rollouts.standing import CAME_BACK

GOOD, BAD = 2, 3  # versions of the demo's config
NAMED = 2  # versions in use that are named


class TourStep(StrEnum):
    """The steps in their order; the last one has no end."""

    ROLL_OUT = "roll_out"
    APPROVE = "approve"
    BREAK = "break"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Tour:
    """Where the reader is. `done` are steps that somebody has taken, `now` is the next one; `running`
    says which rollout of them goes on, `back` which one came back."""

    config: str
    good: int
    bad: int
    runs: str
    done: frozenset[TourStep]
    now: TourStep
    running: int | None
    back: int | None
    may_start: bool
    may_approve: bool
    kept_in: str


def kept_in() -> str:
    """Return where the passwords of the demo's people are, as seen from where `make up` was run."""
    path = settings.DATA_DIR / CREDENTIALS_FILE
    base = Path(settings.BASE_DIR)
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def read(actor: Actor, uses: VersionUses) -> Tour | None:
    """Return the tour of this reader, None where this is no demo. Two queries."""
    if not settings.DEMO:
        return None
    begun = Rollout.objects.visible_to(actor).filter(
        config__name=files.CONFIG, version__number__in=(GOOD, BAD), started_at__isnull=False
    )
    rows = list(begun.order_by("pk").values_list("pk", "version__number", "state"))
    asked = Phase.objects.filter(rollout__in=[pk for pk, _n, _s in rows], manual=True)
    decided = asked.exclude(state__in=(PhaseState.PENDING, PhaseState.AWAITING_APPROVAL))
    states = {pk: (number, state) for pk, number, state in rows}
    approved = set(decided.exclude(state=PhaseState.SKIPPED).values_list("rollout_id", flat=True))
    done = steps_done(states, approved)
    active = [pk for pk, (_n, state) in states.items() if state not in ENDED]
    back = [pk for pk, (number, state) in states.items() if number == BAD and state in CAME_BACK]
    return Tour(
        config=files.CONFIG,
        good=GOOD,
        bad=BAD,
        runs=", ".join(use.name for use in uses.rows[:NAMED] if use.name),
        done=done,
        now=next(step for step in TourStep if step not in done),
        running=active[-1] if active else None,
        back=back[-1] if back else None,
        may_start=bool(can(actor, "rollouts.start")),
        may_approve=bool(can(actor, "rollouts.approve")),
        kept_in=kept_in(),
    )


ENDED = CAME_BACK | {RolloutState.SUCCEEDED, RolloutState.ABORTED, RolloutState.SUPERSEDED}


def steps_done(rollouts: Mapping[int, tuple[int, str]], approved: set[int]) -> frozenset[TourStep]:
    """Return which steps were taken, from rollouts (version, state) by id and the approved. Pure."""
    done = set()
    for pk, (number, state) in rollouts.items():
        if number == GOOD:
            done.add(TourStep.ROLL_OUT)
            if pk in approved or state == RolloutState.SUCCEEDED:
                done.add(TourStep.APPROVE)
        elif state in CAME_BACK:
            done.add(TourStep.BREAK)
    return frozenset(done)
