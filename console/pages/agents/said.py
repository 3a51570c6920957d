"""What one agent says is wrong, with the line of the version that it names."""

from __future__ import annotations

from dataclasses import dataclass

from agents.models import AgentStatus
from console.pages.agents.rows import AgentRow
from console.pages.said import PlaceView, places_view
from rollouts.errors import report
from rollouts.models import ConfigVersion


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """`text` is the agent's own; `version` is the name of the version that the lines are of."""

    text: str
    version: str
    places: list[PlaceView]

    def __bool__(self) -> bool:
        return bool(self.text)


def said_of(row: AgentRow, status: AgentStatus) -> AgentSaid:
    """Return what the agent says is wrong; two queries when it says anything of a version we know.

    A refusal is of the config that its status names, beside the one it runs; bad health is of what it
    runs, beside what it ran before.
    """
    if not row.error:
        return AgentSaid("", "", [])
    is_refusal = row.status in {"config_failed", "quarantined"}
    about = status.config_hash if is_refusal else status.running_hash
    former = status.running_hash if is_refusal else status.former_hash
    found = ConfigVersion.objects.filter(body_ref__in=[about, former]).select_related("config")
    versions = {one.config_hash: one for one in found.order_by("pk")}
    version, before = versions.get(about), versions.get(former)
    places = report.locate(row.error, about, former if before else "") if version else ()
    return AgentSaid(row.error, str(version or ""), places_view(places, version, before))
