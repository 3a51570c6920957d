"""Rows for tests: the least that a test asks for, and agents that speak as gateways write it."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from accounts.actor import Actor
from accounts.models import RoleBinding, User
from agents import news
from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Desired, GatewayLease
from rollouts.models import Config, ConfigVersion
from tests.agents.factories import NOW as NOW  # tests of rollouts import it from here
from tests.agents.factories import make_body

ACCEPTS_AND_REPORTS = 0x1 | 0x2 | 0x800 | 0x1000
_names = itertools.count(1)


def make_user(role: str, name: str = "") -> Actor:
    """Create a person with one role; return the actor that acts are called with."""
    user = User.objects.create(username=name or f"{role}-{next(_names)}")
    RoleBinding.objects.create(user=user, role=role)
    return Actor.of(user)


# The least that a collector runs.
RUNNABLE = """\
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""


def make_agent(
    labels: dict[str, str] | None = None,
    *,
    connected: bool = True,
    running_hash: str = "",
    healthy: bool | None = True,
    capabilities: int = ACCEPTS_AND_REPORTS,
    **fields: Any,
) -> Agent:
    """Create an agent with its status; `running_hash` it has reported as applied."""
    agent = Agent.objects.create(
        instance_uid=uuid.uuid4(),
        name=fields.pop("name", "") or f"agent-{next(_names):05d}",
        labels=labels or {},
        capabilities=capabilities,
        first_seen_at=NOW - timedelta(days=1),
        **fields,
    )
    AgentStatus.objects.create(
        agent=agent,
        connected=connected,
        connected_at=NOW if connected else None,
        disconnected_at=None if connected else NOW,
        last_seen_at=NOW,
        healthy=healthy,
        config_hash=running_hash,
        config_status=ConfigStatus.APPLIED if running_hash else None,
        running_hash=running_hash,
    )
    return agent


def make_gateway() -> GatewayLease:
    """Create a gateway that has long been there and stays: an agent that is gone could come back."""
    return GatewayLease.objects.create(
        id=uuid.uuid4(),
        host="127.0.0.1",
        port=4320,
        pid=1,
        started_at=NOW - timedelta(days=30),
        renewed_at=NOW + timedelta(days=3650),
    )


def make_version(
    config: str = "edge", text: str = "", author: Actor | None = None
) -> ConfigVersion:
    """Create the next version of a config, with a body of its own unless `text` is given."""
    row, _ = Config.objects.get_or_create(name=config, defaults={"created_at": NOW})
    number = row.versions.count() + 1
    return ConfigVersion.objects.create(
        config=row,
        number=number,
        body_ref_id=make_body(text or f"# {config} {number}\n{RUNNABLE}"),
        author=author.user if author else None,
        created_at=NOW,
    )


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
