"""Agents for tests: the least that a test asks for."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

from agents.models import Agent, AgentStatus, ConfigBody

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def make_agent(**status: object) -> Agent:
    """Create an agent with a status row; keyword arguments are fields of AgentStatus."""
    agent = Agent.objects.create(instance_uid=uuid.uuid4(), first_seen_at=NOW)
    AgentStatus.objects.create(agent=agent, **status)
    return agent


def make_body(text: str = "receivers: {}\n") -> str:
    """Store a config body; return its hash."""
    body = text.encode()
    config_hash = hashlib.sha256(body).hexdigest()
    ConfigBody.objects.get_or_create(
        config_hash=config_hash,
        defaults={"body": body, "size_bytes": len(body), "created_at": NOW},
    )
    return config_hash
