"""The least rows a test of the API needs."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from agents.models import Agent, AgentStatus, Desired, GatewayLease


def make_gateway(**fields: Any) -> GatewayLease:
    """Return a gateway that is alive unless told otherwise."""
    now = timezone.now()
    known = {"id": uuid.uuid4(), "host": "gw", "port": 4320, "pid": 1}
    return GatewayLease.objects.create(**{**known, "started_at": now, "renewed_at": now, **fields})


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


def make_agents(count: int) -> None:
    """Create many plain agents quickly."""
    now = timezone.now()
    Agent.objects.bulk_create(
        Agent(instance_uid=uuid.uuid4(), name=f"agent-{n}", first_seen_at=now) for n in range(count)
    )
