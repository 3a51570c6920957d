"""What the page of one agent shows: three facts, what it said, and the tab that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from agents.models import Agent, AgentBody, AgentEvent, AgentStatus, ConfigStatus, Delivery
from agents.models.querysets import ACCEPTS_REMOTE_CONFIG
from agents.opamp.shown_config import is_judged_by_it
from agents.succession import lineage
from console.pages.agents import effective as effective_config
from console.pages.agents import own_metrics
from console.pages.agents.effective import Effective
from console.pages.agents.own_metrics import OwnCharts
from console.pages.agents.rows import AgentRow, rows_of
from console.pages.agents.said import AgentSaid, said_of
from console.pages.agents.settings import OfferedSettings, offered_settings
from console.pages.configs.names import ConfigName, names_of
from console.words import agent_events as agent_event_words
from console.words import states as words
from console.words.agent_events import AgentLine
from console.words.plain import plain
from rollouts.models import Target

HISTORY = 50


@dataclass(frozen=True, slots=True)
class Node:
    """One component of the health tree."""

    name: str
    healthy: bool
    text: str
    children: list[Node]

    @property
    def is_open(self) -> bool:
        """Open where something is wrong, at any depth."""
        return not self.healthy or any(child.is_open for child in self.children)

    @property
    def total(self) -> int:
        """Components below, leaves only."""
        return sum(child.total for child in self.children) if self.children else 1

    @property
    def total_healthy(self) -> int:
        if not self.children:
            return int(self.healthy)
        return sum(child.total_healthy for child in self.children)


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery with the name of what was offered."""

    delivery: Delivery
    name: ConfigName
    took_s: float | None


@dataclass(frozen=True, slots=True)
class AgentView:
    """Everything of the page."""

    row: AgentRow
    status: AgentStatus
    config_look: words.Look
    wedged: ConfigName | None
    shows_only: bool
    accepts_config: bool
    said: AgentSaid
    own: OwnCharts | None
    attributes: list[tuple[str, str]]
    operator_labels: dict[str, str]
    tree: Node | None
    effective: Effective | None
    effective_at: datetime | None
    deliveries: list[DeliveryRow]
    events: list[AgentLine]
    target: Target | None
    target_kind: str
    settings: OfferedSettings | None
    replaces: Agent | None
    replaced_by: Agent | None
    seq: int


def node(name: str, part: Mapping[str, object], depth: int = 0) -> Node:
    """Read one component of the reported health, at most 12 levels deep."""
    children = part.get("components") or part.get("component_health_map") or {}
    text = str(part.get("last_error") or part.get("status") or "")
    below = children.items() if isinstance(children, Mapping) and depth < 12 else ()
    return Node(
        name=plain(name, limit=200),
        healthy=bool(part.get("healthy")),
        text=plain(text),
        children=[
            node(str(key), value, depth + 1) for key, value in below if isinstance(value, Mapping)
        ],
    )


def _config_look(status: AgentStatus, row: AgentRow) -> words.Look:
    """How the config fact reads: the agent's own word for the hash it was offered last."""
    said = words.SAID.get(status.config_status or 0)
    if row.status == "drifted" and status.config_status not in _TELLS_MORE:
        return words.Look("warn", "triangle", _("Drifted"))
    return said or words.Look("off", "question", _("No remote config reported"))


# What an agent says of its config that is more pressing than that it drifted.
_TELLS_MORE = (ConfigStatus.FAILED, ConfigStatus.APPLYING)


def _deliveries(line: list[int]) -> list[DeliveryRow]:
    found = list(Delivery.objects.filter(agent__in=line).order_by("-id")[:HISTORY])
    names = names_of(d.config_hash for d in found)
    return [
        DeliveryRow(
            d,
            names[d.config_hash],
            (d.settled_at - d.offered_at).total_seconds() if d.settled_at else None,
        )
        for d in found
    ]


def _kind_of(target: Target | None) -> str:
    """Return how the rollout's page would show this agent; "" when none is at work on it."""
    if target is None:
        return ""
    started = target.phase.started_at is not None
    return words.target_kind(target.state, target.online, started, target.taken_from)


def _not_in_labels(agent: Agent, attributes: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the attributes that the chips do not show: no label, or overlaid by an operator's."""
    labels = agent.labels or {}
    return sorted(
        (plain(key, limit=200), plain(value))
        for key, value in attributes.items()
        if labels.get(key) != str(value)
    )


def read(agent: Agent, now: datetime, tab: str) -> AgentView:
    """Read the page of an agent that was read `for_list()` with a status word, its settings and who
    replaced it."""
    [row] = rows_of([agent], now)
    status = getattr(agent, "status", None) or AgentStatus(agent=agent)
    bodies = {b.part: b for b in AgentBody.objects.filter(agent=agent)}
    health = bodies.get(AgentBody.Part.HEALTH)
    effective = bodies.get(AgentBody.Part.EFFECTIVE_CONFIG)
    target = (
        Target.objects.filter(agent=agent, active=True).select_related("rollout", "phase").first()
    )
    line = lineage(agent.pk) if agent.took_over_at is not None else [agent.pk]
    events = AgentEvent.objects.filter(agent__in=line).order_by("-id")[
        : HISTORY if tab == "history" else 8
    ]
    attributes = {**(agent.identifying or {}), **(agent.non_identifying or {})}
    return AgentView(
        row=row,
        status=status,
        config_look=_config_look(status, row),
        wedged=names_of([since])[since] if (since := status.wedged_since) else None,
        shows_only=is_judged_by_it(agent.capabilities),
        accepts_config=agent.has_capability(ACCEPTS_REMOTE_CONFIG),
        said=said_of(row, status),
        own=own_metrics.read(agent.pk, now) if tab == "summary" else None,
        attributes=_not_in_labels(agent, attributes),
        operator_labels=agent.operator_labels or {},
        tree=node(_("Collector"), health.body)
        if health and isinstance(health.body, dict)
        else None,
        effective=effective_config.read(effective, row.wanted) if tab == "config" else None,
        effective_at=effective.at if effective else None,
        deliveries=_deliveries(line) if tab in {"summary", "history"} else [],
        events=[agent_event_words.line(event) for event in events],
        target=target,
        target_kind=_kind_of(target),
        settings=offered_settings(status, getattr(agent, "desired_settings", None), now),
        replaces=agent.replaces if agent.replaces_id else None,
        replaced_by=getattr(agent, "replaced_by", None),
        seq=int(now.timestamp() * 1000),
    )
