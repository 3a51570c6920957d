"""Looking into the database after a gateway has written, and pushing to its agents."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.db import transaction

from agents.actions.set_desired import SetDesired, set_desired
from agents.models import Agent, AgentStatus, Delivery
from tests.agents.gateway.fake_agent import FakeAgent
from tests.make.configs import make_body
from tests.make.waiting import eventually

GOOD = "receivers:\n  otlp: {}\n"
OTHER = "receivers:\n  hostmetrics: {}\n"


def row(agent: FakeAgent) -> Agent:
    """Return the agent's row, waiting until it exists."""
    uid = uuid.UUID(bytes=agent.uid)
    found: Agent = eventually(Agent.objects.filter(instance_uid=uid).first, "the agent's row")
    return found


def status(agent: FakeAgent) -> AgentStatus:
    """Return the agent's status as it is stored now."""
    return AgentStatus.objects.get(agent__instance_uid=uuid.UUID(bytes=agent.uid))


def stored(agent: FakeAgent, **wanted: object) -> AgentStatus:
    """Wait until the agent's status row has these values, and return it."""

    def ask() -> AgentStatus | None:
        return AgentStatus.objects.filter(
            agent__instance_uid=uuid.UUID(bytes=agent.uid), **wanted
        ).first()

    return eventually(ask, f"status {wanted}")


def write_now(agent: FakeAgent) -> None:
    """Have the agent's gateway write all that it knows, so that what is not stored never will be."""
    agent.gateway.run(agent.gateway.server.gateway.flusher.flush())


def want(*agents: FakeAgent, text: str = GOOD, topic: str = "rollout:1") -> str:
    """Have agents run a config; return its hash."""
    push(*agents, config_hash=(config_hash := make_body(text)), topic=topic)
    return config_hash


def push(*agents: FakeAgent, config_hash: str, topic: str = "rollout:1") -> SetDesired:
    with transaction.atomic():
        return set_desired(
            wants={row(agent).pk: config_hash for agent in agents},
            cause=topic,
            topic=topic,
            now=datetime.now(UTC),
        )


def delivery(agent: FakeAgent, **wanted: object) -> Delivery:
    """Wait for the newest delivery of the agent to have these values, and return it."""

    def ask() -> Delivery | None:
        newest = Delivery.objects.filter(agent=row(agent)).order_by("-id").first()
        fits = newest is not None and all(getattr(newest, k) == v for k, v in wanted.items())
        return newest if fits else None

    return eventually(ask, f"delivery {wanted}")
