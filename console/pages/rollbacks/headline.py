"""What stands over a rollout that comes or came back: why, who decided, how far, how long it took.

Read once for the page, its live fragments and the share page; knows no viewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.models import Quarantine
from console.pages.rollbacks import pace
from console.pages.rollbacks.progress import Progress, progress_of
from console.words import ways_back as words
from rollouts.engine.facts import Counts
from rollouts.engine.states import PhaseState, RollbackState
from rollouts.models import Phase, Rollback, Rollout


@dataclass(frozen=True, slots=True)
class Headline:
    """The line over the phases. `left` says how long it still takes, "" when nobody can know."""

    progress: Progress
    token: str
    icon: str
    say: str
    cause: str
    decided_by: str
    then: list[str]
    left: str
    is_running: bool

    @property
    def rollback(self) -> Rollback:
        return self.progress.rollback


def headline_of(
    rollout: Rollout,
    rollback: Rollback,
    steps: Sequence[Phase],
    now: datetime,
    *,
    is_past: bool = False,
) -> Headline:
    """Read the line; two queries. `steps` are the rollout's phases. With `is_past` everything given is
    as it was at `now` (`rollouts.as_of`)."""
    progress = progress_of(rollback, now if is_past else None)
    is_running = rollback.state == RollbackState.RUNNING
    version = f"v{rollout.version.number}"
    cause = words.cause(rollback, is_over=not is_running)
    to = words.goal(rollout)
    never = untouched(steps)
    if is_running:
        then = [words.rolling(progress.total, to), words.never(never, version)]
        say = cause
    else:
        say = words.outcome(rollback, progress, caught_s(rollback, steps))
        then = [
            cause,
            words.touched(never, sum(p.members for p in map(_counts, steps))),
            words.kept_back(version, is_kept=_is_quarantined(rollout)),
        ]
    left_s = _left_s(progress, now) if is_running else None
    return Headline(
        progress=progress,
        token="bad" if is_running or words.is_failure(rollback) else "off",
        icon="undo" if rollback.state != RollbackState.INCOMPLETE else "triangle",
        say=say,
        cause=cause,
        decided_by=words.decided_by(rollback, rollout.plan_name),
        then=[sentence for sentence in then if sentence],
        left=words.left(left_s) if left_s is not None else "",
        is_running=is_running,
    )


def untouched(steps: Sequence[Phase]) -> int:
    """Return how many members never received the version."""
    return sum(max(0, counts.members - counts.offered) for counts in map(_counts, steps))


def caught_s(rollback: Rollback, steps: Sequence[Phase]) -> float | None:
    """Return the seconds from the first offer in the phase that failed to the decision; of a
    person's decision, since the rollout's first offer."""
    begun = [p for p in steps if p.started_at is not None and p.started_at <= rollback.decided_at]
    failed = [p for p in begun if p.state == PhaseState.FAILED]
    automatic = rollback.kind == Rollback.Kind.AUTOMATIC
    first = (failed or begun[-1:]) if automatic else begun[:1]
    if not first or first[0].started_at is None:
        return None
    return (rollback.decided_at - first[0].started_at).total_seconds()


def _counts(phase: Phase) -> Counts:
    return Counts.from_dict(phase.counts or {})


def _is_quarantined(rollout: Rollout) -> bool:
    fleet = Quarantine.objects.filter(agent=None, lifted_at=None)
    return fleet.filter(config_hash=rollout.version.config_hash).exists()


def _left_s(progress: Progress, now: datetime) -> float | None:
    if progress.half_at is None or progress.last_at is None:
        return None
    if progress.rollback.method == Rollback.Method.GRADUAL and progress.waiting:
        return None  # batches wait for each other: their curve says nothing of the next one
    start = progress.rollback.decided_at
    return pace.left_s(
        back=progress.confirmed,
        online=progress.online,
        half_s=(progress.half_at - start).total_seconds(),
        last_s=(progress.last_at - start).total_seconds(),
        now_s=(now - start).total_seconds(),
    )
