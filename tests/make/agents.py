"""Agents and gateways as rows."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from agents.models import Agent, AgentStatus, ConfigStatus, Desired, GatewayLease, Quarantine
from tests.make.times import NOW

FIRST_SEEN = datetime(2026, 5, 12, tzinfo=UTC)
ACCEPTS_AND_REPORTS = 0x1 | 0x2 | 0x800 | 0x1000
_numbers = itertools.count(1)


def make_gateway(**fields: Any) -> GatewayLease:
    """Return a gateway that is alive unless told otherwise."""
    now = timezone.now()
    known = {"id": uuid.uuid4(), "host": "gw", "port": 4320, "pid": 1}
    return GatewayLease.objects.create(**{**known, "started_at": now, "renewed_at": now, **fields})


def make_lasting_gateway() -> GatewayLease:
    """Return a gateway that has long been there and stays: an agent that is gone could come back."""
    return make_gateway(started_at=NOW - timedelta(days=30), renewed_at=NOW + timedelta(days=3650))


def make_agent(
    name: str = "gw-1",
    *,
    labels: dict[str, str] | None = None,
    desired_hash: str = "",
    status: dict[str, Any] | None = None,
    **fields: Any,
) -> Agent:
    """Return an agent; a status and a desired config only when they are given."""
    known = {"instance_uid": uuid.uuid4(), "first_seen_at": timezone.now(), "labels": labels or {}}
    agent = Agent.objects.create(name=name, **{**known, **fields})
    if status is not None:
        AgentStatus.objects.create(agent=agent, **status)
    if desired_hash:
        Desired.objects.create(agent=agent, config_hash=desired_hash, change=1, at=timezone.now())
    return agent


def make_agent_with(**status: Any) -> Agent:
    """Return an agent with a status row; keyword arguments are fields of AgentStatus."""
    return make_agent("", status=status, first_seen_at=NOW)


def make_agents(count: int) -> None:
    """Create many plain agents quickly."""
    now = timezone.now()
    Agent.objects.bulk_create(
        Agent(instance_uid=uuid.uuid4(), name=f"agent-{n}", first_seen_at=now) for n in range(count)
    )


def make_collector(
    labels: dict[str, str] | None = None,
    *,
    connected: bool = True,
    running_hash: str = "",
    healthy: bool | None = True,
    capabilities: int = ACCEPTS_AND_REPORTS,
    **fields: Any,
) -> Agent:
    """Create an agent that accepts and reports configs; `running_hash` it has reported as applied."""
    agent = Agent.objects.create(
        instance_uid=uuid.uuid4(),
        name=fields.pop("name", "") or f"agent-{next(_numbers):05d}",
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


def make_fleet(number: int, *, running: str = "", **labels: str) -> list[Agent]:
    """Create healthy, connected agents that run and should run the same config hash."""
    now = timezone.now()
    lease = GatewayLease.objects.first() or make_gateway(renewed_at=now + timedelta(days=1))
    start = Agent.objects.count()
    agents = Agent.objects.bulk_create(
        Agent(
            instance_uid=uuid.uuid4(),
            name=f"gw-{start + i:04d}",
            version="0.142.1",
            labels={"env": "prod", "region": f"r{i % 3}", **labels},
            capabilities=0x7,
            first_seen_at=FIRST_SEEN,
        )
        for i in range(number)
    )
    AgentStatus.objects.bulk_create(
        AgentStatus(
            agent=agent,
            gateway=lease,
            connected=True,
            connected_at=now,
            last_seen_at=now,
            healthy=True,
            running_hash=running,
            config_hash=running,
            config_status=1 if running else None,
        )
        for agent in agents
    )
    if running:
        Desired.objects.bulk_create(
            Desired(agent=agent, config_hash=running, change=start + i + 1, at=now)
            for i, agent in enumerate(agents)
        )
    return agents


def keep(config_hash: str, agent: Agent | None, outcome: str, reason: str = "") -> Quarantine:
    """Keep a hash from an agent, or from the fleet."""
    return Quarantine.objects.create(
        agent=agent,
        config_hash=config_hash,
        outcome=outcome,
        cause="rollout:1",
        reason=reason,
        by="agent" if agent else "policy",
        at=timezone.now(),
    )
