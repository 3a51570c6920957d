"""What a reading is about: one rollout, its watched phase, its agents, at one time.

Agent lists are loaded only when a source asks for them: the OpAMP facts of a phase need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from rollouts.engine.facts import Counts
from rollouts.engine.states import BEGUN_PHASES, TargetState
from rollouts.models import Phase, Rollout, Target

CHANGED = (TargetState.APPLIED, TargetState.FAILED, TargetState.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Member:
    """One agent of a cohort. `changed_at` is when it confirmed the new version, None before."""

    agent_id: int
    instance_uid: UUID
    stratum: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Scene:
    """Everything a source may look at."""

    rollout: Rollout
    phase: Phase
    phases: Sequence[Phase]
    now: datetime

    @property
    def since(self) -> datetime:
        """When the phase was deployed; while it deploys, when it started."""
        return self.phase.deployed_at or self.phase.started_at or self.now

    @property
    def counts(self) -> Counts:
        return Counts.from_dict(self.phase.counts)

    @property
    def counts_of_begun(self) -> list[Counts]:
        """Counts of every phase that has begun, the watched one included."""
        return [Counts.from_dict(p.counts) for p in self.phases if p.state in BEGUN_PHASES]

    @cached_property
    def changed(self) -> list[Member]:
        """Agents of the watched phase that run the new version or tried to."""
        found = Target.objects.filter(
            phase=self.phase, state__in=CHANGED, confirmed_at__isnull=False
        )
        return self._members(found)

    @cached_property
    def unchanged(self) -> list[Member]:
        """Agents of the same rollout that were not offered the new version yet: the control."""
        found = Target.objects.filter(rollout=self.rollout, state=TargetState.WAITING)
        return self._members(found)

    def _members(self, targets: object) -> list[Member]:
        label = f"agent__labels__{self.rollout.spread_label}" if self.rollout.spread_label else None
        fields = ["agent_id", "agent__instance_uid", "confirmed_at", *([label] if label else [])]
        rows = targets.order_by("position").values_list(*fields)[:20_000]  # type: ignore[attr-defined]
        return [Member(row[0], row[1], str(row[3] or "") if label else "", row[2]) for row in rows]


def watched_phase(phases: Sequence[Phase]) -> Phase | None:
    """Return the phase whose gates are read: the one begun last."""
    begun = [phase for phase in phases if phase.state in BEGUN_PHASES and phase.started_at]
    return max(begun, key=lambda phase: phase.index) if begun else None
