"""What agents say, as gateways write it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from agents import news
from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Desired
from tests.make.times import NOW


def wanted_of(agent: Agent) -> str:
    """Return the hash an agent should run, "" for none."""
    return Desired.objects.filter(agent=agent).values_list("config_hash", flat=True).first() or ""


def report(
    agent: Agent,
    config_hash: str,
    status: ConfigStatus = ConfigStatus.APPLIED,
    *,
    error: str = "",
    at: datetime = NOW,
) -> None:
    """Let an agent say what it did with a hash, as the gateway's flush stores it."""
    applied = status == ConfigStatus.APPLIED
    AgentStatus.objects.filter(agent=agent).update(
        config_hash=config_hash,
        config_status=status,
        config_error=error,
        config_at=at,
        last_seen_at=at,
        **({"running_hash": config_hash} if applied else {}),
    )
    offered = Delivery.objects.filter(agent=agent, config_hash=config_hash, state="open")
    offered.update(acknowledged_at=at, sent_at=at)
    if status in {ConfigStatus.APPLIED, ConfigStatus.FAILED}:
        state = "applied" if applied else "failed"
        offered.update(state=state, settled_at=at, error=error)
    _tell(agent)


def lose_config(agent: Agent, *, at: datetime = NOW) -> None:
    """Let an agent come back without the config that it ran."""
    AgentStatus.objects.filter(agent=agent).update(
        config_losses=F("config_losses") + 1, config_lost_at=at, running_hash=""
    )
    report(agent, "", ConfigStatus.UNSET, at=at)


def connect(agent: Agent, *, connected: bool = True, at: datetime = NOW) -> None:
    """Let an agent connect or vanish."""
    status = AgentStatus.objects.filter(agent=agent)
    if connected:
        status.update(connected=True, connected_at=at, last_seen_at=at)
    else:
        status.update(connected=False, disconnected_at=at)
    _tell(agent)


def feel(agent: Agent, healthy: bool, *, at: datetime = NOW) -> None:
    """Let an agent report its health."""
    AgentStatus.objects.filter(agent=agent).update(healthy=healthy, health_changed_at=at)
    _tell(agent)


def suffer(agent: Agent, component: str, *, at: datetime = NOW) -> None:
    """Let an agent that is well as a whole say of a component that it is not; "" is well again."""
    AgentStatus.objects.filter(agent=agent).update(sick_component=component, health_changed_at=at)
    _tell(agent)


def send(agent: Agent, at: datetime = NOW) -> None:
    """Let the gateway send what is offered; the agent has not answered yet."""
    Delivery.objects.filter(agent=agent, state="open").update(sent_at=F("offered_at"))
    _tell(agent)


def _tell(agent: Agent) -> None:
    topic = Desired.objects.filter(agent=agent).values_list("topic", flat=True).first()
    if topic:
        news.put(topic, [agent.pk])
