"""What a reading is about: one rollout, its watched phase, its agents, at one time.

Agent lists are loaded only when a source asks for them: the OpAMP facts of a phase need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from agents.models import AgentBody, AgentStatus
from rollouts.analysis.identity import AgentLabel, agent_labels, attributes_of, names_of
from rollouts.engine.facts import Counts
from rollouts.engine.states import BEGUN_PHASES, TargetState
from rollouts.models import Phase, Rollout, Target

MOST_MEMBERS = 20_000
# So many of the agents that do not change, oldest first, are looked at beside those that do where that is
# shown and not judged: an index gives them, so it costs the same in every fleet.
MOST_BESIDE = 2_000
# The label whose values are compared apart, unless the rollout spreads over one of its own.
STRATUM = "region"
CHANGED = (TargetState.APPLIED, TargetState.FAILED, TargetState.TIMED_OUT, TargetState.LOST)


@dataclass(frozen=True, slots=True)
class Member:
    """One agent of a cohort. `names` are the attributes and values that metrics may call it by; its
    uid is always one of them. `changed_at` is when it confirmed the new version, None before."""

    agent_id: int
    names: tuple[tuple[str, str], ...] = ()
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
        return self._members(self._unchanged)

    @property
    def _unchanged(self) -> QuerySet[Target]:
        waiting = Q(state=TargetState.WAITING)
        earlier = Q(state=TargetState.APPLIED, phase__index__lt=self.phase.index)
        return Target.objects.filter(waiting | earlier, rollout=self.rollout)

    @cached_property
    def beside(self) -> tuple[int, int]:
        """How many of the agents that do not change turned unhealthy since the phase began, and how
        many were looked at: one query, at most MOST_BESIDE agents."""
        some = (
            self._unchanged.filter(online=True)
            .order_by("agent_id")
            .values("agent_id")[:MOST_BESIDE]
        )
        since = self.phase.started_at or self.now
        turned = Q(healthy=False, health_changed_at__gte=since)
        found = AgentStatus.objects.filter(agent__in=some, connected=True)
        counted = found.aggregate(bad=Count("pk", filter=turned), n=Count("pk"))
        return counted["bad"], counted["n"]

    def errors_since(self, since: datetime) -> int:
        """Count the watched phase's targets that failed, timed out, turned unhealthy, fell back
        or were lost lately."""
        failed = Q(state=TargetState.FAILED, confirmed_at__gt=since)
        timed_out = Q(state=TargetState.TIMED_OUT, deadline_at__gt=since)
        unhealthy = Q(state=TargetState.APPLIED, healthy=False, unhealthy_since__gt=since)
        off = Q(state__in=[TargetState.FELL_BACK, TargetState.LOST], off_since__gt=since)
        found = Target.objects.filter(failed | timed_out | unhealthy | off, phase=self.phase)
        return found.count()

    @cached_property
    def component_health(self) -> tuple[int, int] | None:
        """How many agents of the phase have a component that is not well and was before, and how
        many may be judged (their grace has passed); None when none of them reports components."""
        grace = timedelta(seconds=float(self.phase.spec["pace"]["health_grace_s"]))
        judged = Target.objects.filter(
            phase=self.phase, state=TargetState.APPLIED, confirmed_at__lte=self.now - grace
        )
        sick = judged.filter(was_sick=False).exclude(agent__status__sick_component="").count()
        reporting = AgentBody.objects.filter(
            part=AgentBody.Part.HEALTH, agent__in=judged.values("agent"), body__has_key="components"
        )
        if not sick and not reporting.exists():
            return None
        return sick, judged.count()

    @cached_property
    def sick_components(self) -> list[tuple[str, int]]:
        """What is not well in agents with the new version and was before it, with how many have it:
        the three that most have."""
        unhealthy = Target.objects.filter(
            rollout=self.rollout, state=TargetState.APPLIED, was_sick=False
        )
        sick = unhealthy.exclude(agent__status__sick_component="")
        counted = sick.values_list("agent__status__sick_component").annotate(n=Count("pk"))
        return list(counted.order_by("-n", "agent__status__sick_component")[:3])

    @cached_property
    def running(self) -> list[Member]:
        """Agents of the whole rollout that have the new version, whatever phase gave it to them."""
        found = Target.objects.filter(state=TargetState.APPLIED, confirmed_at__isnull=False)
        return self._members(found.filter(rollout=self.rollout))

    @cached_property
    def labels(self) -> tuple[AgentLabel, ...]:
        """The labels of Prometheus that name an agent, strongest first."""
        return agent_labels(settings.PROMETHEUS_AGENT_LABELS)

    def _members(self, targets: QuerySet[Target]) -> list[Member]:
        wanted = attributes_of(self.labels)
        names = {f"_name{n}": KeyTextTransform(a, "agent__labels") for n, a in enumerate(wanted)}
        stratum = KeyTextTransform(self.rollout.spread_label or STRATUM, "agent__labels")
        rows = (
            targets.annotate(_stratum=stratum, **names)
            .order_by("position")
            .values_list("agent_id", "agent__instance_uid", "_stratum", "confirmed_at", *names)
        )
        return [
            Member(row[0], names_of(row[1], wanted, row[4:]), row[2] or "", row[3])
            for row in rows[:MOST_MEMBERS]
        ]


def watched_phase(phases: Sequence[Phase]) -> Phase | None:
    """Return the phase that gates speak of: the one begun last. It stays that when the rollout is
    aborted or taken back, for then people ask what the gates said."""
    begun = [phase for phase in phases if phase.started_at]
    return max(begun, key=lambda phase: phase.index) if begun else None
