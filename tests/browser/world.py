"""What the browser walks through: a fleet, two configs, rollouts in every interesting state."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import AgentStatus
from rollouts.models import Rollout
from tests.console.pages.rows import (
    make_approval,
    make_config,
    make_events,
    make_fleet,
    make_readings,
    make_rollout,
    make_user,
)

TEXT_ERROR = "'exporters' error reading configuration for \"debug\": unknown verbosity"


@dataclass(frozen=True, slots=True)
class World:
    """Where the pages are."""

    observing: Rollout
    waiting: Rollout
    agent: str

    def pages(self) -> dict[str, str]:
        return {
            "overview": "/",
            "agents": "/agents/",
            "agents filtered": "/agents/?q=env%3Dprod&status=unhealthy",
            "agents wrong selector": "/agents/?q=region+in+(",
            "agent": f"/agents/{self.agent}/",
            "agent history": f"/agents/{self.agent}/history/",
            "configs": "/configs/",
            "diff": "/configs/edge/diff/1...2/",
            "split": "/configs/edge/diff/1...2/?view=split",
            "version": "/configs/edge/v/1/",
            "upload": "/configs/new/",
            "plans": "/plans/",
            "plan": "/plans/standard/",
            "new plan": "/plans/new/?from=quick",
            "rollouts": "/rollouts/",
            "new": "/rollouts/new/?config=gateway&q=env%3Dprod",
            "rollout": f"/rollouts/{self.observing.pk}/",
            "rollout agents": f"/rollouts/{self.observing.pk}/agents/",
            "waiting": f"/rollouts/{self.waiting.pk}/",
            "abort": f"/rollouts/{self.observing.pk}/abort/",
            "timeline": f"/rollouts/{self.observing.pk}/timeline/",
            "approvals": "/approvals/",
            "profile": "/settings/profile/",
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
    return World(observing, waiting, str(agents[0].instance_uid))
