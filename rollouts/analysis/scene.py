"""What a reading is about: one rollout, its watched phase, its agents, at one time.

Agent lists are loaded only when a source asks for them: the OpAMP facts of a phase need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from rollouts.engine.facts import Counts
from rollouts.engine.states import BEGUN_PHASES, TOUCHED_TARGETS, TargetState
from rollouts.models import Phase, Rollout, Target

MOST_MEMBERS = 20_000
# The label whose values are compared apart, unless the rollout spreads over one of its own.
STRATUM = "region"
CHANGED = (TargetState.APPLIED, TargetState.FAILED, TargetState.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Member:
    """One agent of a cohort. `instance_id` is its service.instance.id as metrics carry it, by
    default its uid. `changed_at` is when it confirmed the new version, None before."""

    agent_id: int
    instance_id: str
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
    def control(self) -> list[Member]:
        """Agents of the same rollout that do not change now: not offered the new version yet, or
        running it since an earlier phase. Either way they show what else goes on meanwhile."""
        waiting = Q(state=TargetState.WAITING)
        earlier = Q(state=TargetState.APPLIED, phase__index__lt=self.phase.index)
        return self._members(Target.objects.filter(waiting | earlier, rollout=self.rollout))

    def errors_since(self, since: datetime) -> int:
        """Count the watched phase's targets that failed, timed out or turned unhealthy lately."""
        failed = Q(state=TargetState.FAILED, confirmed_at__gt=since)
        timed_out = Q(state=TargetState.TIMED_OUT, deadline_at__gt=since)
        unhealthy = Q(state=TargetState.APPLIED, healthy=False, unhealthy_since__gt=since)
        return Target.objects.filter(failed | timed_out | unhealthy, phase=self.phase).count()

    @cached_property
    def touched_ids(self) -> frozenset[str]:
        """service.instance.id of every agent of the rollout that was offered the new version."""
        found = Target.objects.filter(rollout=self.rollout, state__in=TOUCHED_TARGETS)
        return frozenset(member.instance_id for member in self._members(found))

    def _members(self, targets: QuerySet[Target]) -> list[Member]:
        rows = (
            targets.annotate(
                _stratum=KeyTextTransform(self.rollout.spread_label or STRATUM, "agent__labels"),
                _instance=KeyTextTransform("service.instance.id", "agent__labels"),
            )
            .order_by("position")
            .values_list("agent_id", "agent__instance_uid", "_instance", "_stratum", "confirmed_at")
        )
        return [
            Member(agent_id, instance or str(uid), stratum or "", changed_at)
            for agent_id, uid, instance, stratum, changed_at in rows[:MOST_MEMBERS]
        ]


def watched_phase(phases: Sequence[Phase]) -> Phase | None:
    """Return the phase that gates speak of: the one begun last. It stays that when the rollout is
    aborted or taken back, for then people ask what the gates said."""
    begun = [phase for phase in phases if phase.started_at]
    return max(begun, key=lambda phase: phase.index) if begun else None
