"""What one agent says is wrong, with the line of the version that it names."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import AgentStatus
from console.pages.agents.rows import AgentRow
from console.pages.said import GroupView, group_view
from rollouts.errors import report
from rollouts.errors.groups import Example, Said, group
from rollouts.errors.report import Located
from rollouts.errors.said import REGION
from rollouts.models import ConfigVersion


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """The block of a rollout with one agent in it; `version` names whose lines are meant."""

    version: str = ""
    group: GroupView | None = None

    def __bool__(self) -> bool:
        return self.group is not None


def said_of(row: AgentRow, status: AgentStatus) -> AgentSaid:
    """Return what the agent says is wrong; two queries when it says anything of a version we know.

    A refusal is of the config that its status names, beside the one it runs; bad health is of what it
    runs, beside what it ran before.
    """
    if not row.error:
        return AgentSaid()
    is_refusal = row.status in {"config_failed", "quarantined"}
    about = status.config_hash if is_refusal else status.running_hash
    former = status.running_hash if is_refusal else status.former_hash
    found = ConfigVersion.objects.filter(body_ref__in=[about, former]).select_related("config")
    versions = {one.config_hash: one for one in found.order_by("pk")}
    version, before = versions.get(about), versions.get(former)
    places = report.locate(row.error, about, former if before else "") if version else ()
    agent = row.agent
    said = Said(
        kind="failed" if is_refusal else "unhealthy",
        text=row.error,
        version=agent.version,
        region=str((agent.labels or {}).get(REGION, "")),
        agents=1,
        samples=(Example(str(agent.instance_uid), agent.name),),
    )
    [one] = group([said]).groups
    return AgentSaid(str(version or ""), group_view(Located(one, places), version, before))
