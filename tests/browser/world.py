"""What the browser walks through: a fleet, two configs, rollouts in every interesting state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from agents.models import Agent, AgentStatus, FleetSample, RefusedAgent
from rollouts.delivering import counts
from rollouts.engine.states import FAILED_TARGETS
from rollouts.models import ConfigVersion, Rollback, Rollout, Target
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user
from tests.make.rollouts import (
    make_approval,
    make_events,
    make_readings,
    make_rollback,
    make_rollout,
)

# State of a target, and the state it came back from.
ENDS = (
    *(("rolled_back", was) for was in ("applied", "failed", "timed_out", "fell_back", "lost")),
    *((state, "") for state in ("failed", "timed_out", "fell_back", "lost", "skipped", "offered")),
)
TEXT_ERROR = "'exporters' error reading configuration for \"debug\": unknown verbosity"


@dataclass(frozen=True, slots=True)
class World:
    """Where the pages are."""

    observing: Rollout
    waiting: Rollout
    agents: list[Agent]


@dataclass(frozen=True, slots=True)
class FullWorld:
    """The same with the ends of rollouts and agents: for the walk through all pages."""

    observing: Rollout
    waiting: Rollout
    back: Rollout
    draft: Rollout
    agent: str
    away: str

    def pages(self) -> dict[str, str]:
        return {
            "overview": "/",
            "agents": "/agents/",
            "agents filtered": "/agents/?q=env%3Dprod&status=unhealthy",
            "agents retired": "/agents/?status=retired",
            "agents refused": "/agents/refused/",
            "retire agents": "/agents/retire/",
            "agents wrong selector": "/agents/?q=region+in+(",
            "agent": f"/agents/{self.agent}/",
            "agent config": f"/agents/{self.agent}/config/",
            "agent health": f"/agents/{self.agent}/health/",
            "retire agent": f"/agents/{self.away}/retire/",
            "agent away": f"/agents/{self.away}/",
            "agent history": f"/agents/{self.agent}/history/",
            "configs": "/configs/",
            "diff": "/configs/edge/diff/1...2/",
            "split": "/configs/edge/diff/1...2/?view=split",
            "version": "/configs/edge/v/1/",
            "upload": "/configs/new/",
            "plans": "/plans/",
            "plan": "/plans/standard/",
            "back-test": "/plans/standard/backtest/",
            "new plan": "/plans/new/?from=quick",
            "rollouts": "/rollouts/",
            "new": "/rollouts/new/?config=gateway&q=env%3Dprod",
            "rollout": f"/rollouts/{self.observing.pk}/",
            "rollout agents": f"/rollouts/{self.observing.pk}/agents/",
            "phase": f"/rollouts/{self.observing.pk}/phases/1/",
            "phase that failed": f"/rollouts/{self.back.pk}/phases/1/",
            "waiting": f"/rollouts/{self.waiting.pk}/",
            "came back": f"/rollouts/{self.back.pk}/",
            "agents that came back": f"/rollouts/{self.back.pk}/agents/",
            "course of the way back": f"/rollouts/{self.back.pk}/timeline/",
            "draft": f"/rollouts/{self.draft.pk}/",
            "start": f"/rollouts/{self.draft.pk}/start/",
            "readiness": f"/rollouts/{self.observing.pk}/readiness/",
            "rollbacks": "/rollbacks/",
            "new rollback": "/rollbacks/new/",
            "counted rollback": "/rollbacks/new/?q=env%3Dprod",
            "share links": f"/rollouts/{self.back.pk}/share/",
            "link that opens nothing": "/shared/unknown/",
            "abort": f"/rollouts/{self.observing.pk}/abort/",
            "timeline": f"/rollouts/{self.observing.pk}/timeline/",
            "approvals": "/approvals/",
            "profile": "/settings/profile/",
            "freezes": "/settings/freeze/",
            "budgets": "/settings/budgets/",
            "guards": "/settings/guards/",
            "retirement": "/settings/retirement/",
            "signing keys": "/settings/signing-keys/",
            "quarantine": "/settings/quarantine/",
            "audit": "/audit/",
            "search": "/search/?q=gw",
            "metrics": "/help/metrics/",
            "shortcuts": "/help/shortcuts/",
            "missing": "/rollouts/999/",
        }


def make_world() -> World:
    starter = make_user("lin", "operator", "author")
    edge = make_config("edge", 2, starter)
    make_config("gateway", 2, starter)
    agents = make_fleet(40, running=edge[0].config_hash)
    AgentStatus.objects.filter(agent=agents[0]).update(healthy=False, health_error=TEXT_ERROR)
    observing = make_rollout(edge[1], agents=agents[:20], by=starter)
    make_events(observing, 5)
    make_readings(observing, 20)
    logs = make_config("logs", 2, starter)
    waiting = make_rollout(
        logs[1],
        agents=agents[20:],
        by=starter,
        phases=("passed", "passed", "awaiting_approval"),
        title="Drop debug logs",
    )
    make_approval(waiting)
    return World(observing, waiting, agents)


def make_full_world() -> FullWorld:
    world = make_world()
    starter = User.objects.get(username="lin")
    back = _came_back(make_config("traces", 2, starter)[1], world.agents[:20], starter)
    spans, pending = make_config("spans", 2, starter), ("pending",) * 3
    draft = make_rollout(spans[1], state="draft", phases=pending, agents=world.agents)
    away, retired = make_fleet(2)
    _away_and_refused(away, retired)
    _make_samples()
    return FullWorld(
        *(world.observing, world.waiting, back, draft),
        agent=str(world.agents[0].instance_uid),
        away=str(away.instance_uid),
    )


def _make_samples() -> None:
    """A day of samples, as beat takes them: a bad hour in it."""
    now = timezone.now()
    FleetSample.objects.bulk_create(
        FleetSample(
            at=now - timedelta(minutes=10 * n),
            total=40,
            offline=n % 3,
            counts={"healthy": 40 - n % 3 - (9 if 60 < n < 66 else 0), "offline": n % 3},
        )
        for n in range(140)
    )


def _came_back(version: ConfigVersion, agents: list[Agent], by: User) -> Rollout:
    """A rollout on whose way back some stayed, with an agent in each state of a target."""
    phases = ("rolled_back", "rolled_back", "skipped")
    rollout = make_rollout(
        version, state="rollback_incomplete", phases=phases, agents=agents, by=by
    )
    way_back = make_rollback(version.config_hash, agents)
    Rollback.objects.filter(pk=way_back.pk).update(rollout=rollout, kind="automatic")
    for target, (state, before) in zip(rollout.targets.order_by("pk"), ENDS, strict=False):
        error = TEXT_ERROR if {state, before} & FAILED_TARGETS else ""
        Target.objects.filter(pk=target.pk).update(state=state, taken_from=before, error=error)
    counts.recount(rollout.phases.all(), timezone.now())
    return rollout


def _away_and_refused(away: Agent, retired: Agent) -> None:
    now = timezone.now()
    AgentStatus.objects.filter(agent=away).update(connected=False, disconnected_at=now)
    Agent.objects.filter(pk=retired.pk).update(
        retired_at=now, retired_by="lin", retired_why="The host was scrapped."
    )
    for reason in ("bad_credential", "not_a_uuid"):
        RefusedAgent.objects.create(
            address="2001:db8:85a3:1234:5678:8a2e:370:7334",
            reason=reason,
            claimed_id="not-an-id-but-sixty-four-characters-of-text-that-never-end-at-al",
            detail="somebody said a long thing about it",
            times=12_345,
            first_at=now,
            last_at=now,
        )
