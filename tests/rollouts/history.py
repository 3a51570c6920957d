"""A fleet whose tables have seen rollouts before, and whose statistics are older than the next one.

PostgreSQL then knows every rollout but the one that runs, and expects of it no row at all.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import connection

from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Desired
from rollouts.models import Budget, ConfigVersion, Phase, Rollout, Target
from tests.make.agents import ACCEPTS_AND_REPORTS
from tests.make.configs import make_version
from tests.make.times import NOW

TABLES = [
    "agents_agent",
    "agents_agentstatus",
    "agents_delivery",
    "agents_desired",
    "agents_news",
    "agents_quarantine",
    "rollouts_target",
    "rollouts_phase",
    "rollouts_rollout",
    "rollouts_rollback",
    "rollouts_rollbacktarget",
    "rollouts_budgetlease",
]


def fleet_with_history(agents: int, rollouts: int, targets: int) -> ConfigVersion:
    """Make connected agents and past rollouts over some of them, and ANALYZE. Returns what all run."""
    ids = _agents(agents)
    versions = [make_version() for _ in range(rollouts)]
    for number, version in enumerate(versions):
        begin = (number * targets) % agents
        members = [ids[(begin + n) % agents] for n in range(targets)]
        _past(version, members, NOW - timedelta(days=rollouts - number))
    running = versions[-1]
    AgentStatus.objects.update(
        config_hash=running.config_hash,
        config_status=ConfigStatus.APPLIED,
        running_hash=running.config_hash,
    )
    Desired.objects.bulk_create(
        Desired(agent_id=pk, config_hash=running.config_hash, change=1, at=NOW - timedelta(days=1))
        for pk in ids
    )
    Budget.objects.create(label="region", max_share=1.0, updated_by="lin", updated_at=NOW)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE {table}")
    return running


def _agents(count: int) -> list[int]:
    made = Agent.objects.bulk_create(
        Agent(
            instance_uid=uuid.uuid4(),
            name=f"agent-{n:05d}",
            labels={"env": "prod" if n % 3 else "staging", "region": f"r{n % 5}"},
            capabilities=ACCEPTS_AND_REPORTS,
            first_seen_at=NOW - timedelta(days=40),
        )
        for n in range(count)
    )
    AgentStatus.objects.bulk_create(
        AgentStatus(agent=agent, connected=True, connected_at=NOW, last_seen_at=NOW, healthy=True)
        for agent in made
    )
    return [agent.pk for agent in made]


def _past(version: ConfigVersion, members: list[int], at: datetime) -> None:
    rollout = Rollout.objects.create(
        config=version.config,
        version=version,
        title=f"v{version.number}",
        selector="env=nobody",
        plan_name="all",
        plan={"promote_rest": False},
        seed=f"{version.number:032d}",
        preview_at=at,
        state="succeeded",
        created_at=at,
        started_at=at,
        finished_at=at,
    )
    phase = Phase.objects.create(
        rollout=rollout, index=0, name="all", weight=1.0, spec={}, state="passed"
    )
    Target.objects.bulk_create(
        Target(
            rollout=rollout,
            phase=phase,
            agent_id=pk,
            position=place,
            state="applied",
            offered_at=at,
            confirmed_at=at,
            healthy=True,
        )
        for place, pk in enumerate(members)
    )
    Delivery.objects.bulk_create(
        Delivery(
            agent_id=pk,
            config_hash=version.config_hash,
            cause=rollout.topic,
            state="applied",
            offered_at=at,
            sent_at=at,
            acknowledged_at=at,
            settled_at=at,
        )
        for pk in members
    )


_ANSWER = """
    WITH answered AS MATERIALIZED (
        UPDATE agents_delivery SET state = %(state)s, sent_at = %(now)s,
            acknowledged_at = %(now)s, settled_at = %(now)s
        WHERE id IN (SELECT id FROM agents_delivery WHERE state = 'open' ORDER BY id
                     LIMIT %(limit)s)
        RETURNING agent_id, config_hash
    ), said AS (
        UPDATE agents_agentstatus s SET config_hash = a.config_hash, config_at = %(now)s,
            config_status = CASE WHEN %(state)s = 'applied' THEN 1 ELSE 3 END,
            running_hash = CASE WHEN %(state)s = 'applied' THEN a.config_hash
                                ELSE s.running_hash END
        FROM answered a WHERE s.agent_id = a.agent_id RETURNING s.agent_id
    )
    INSERT INTO agents_news (topic, agent_id)
    SELECT d.topic, d.agent_id FROM agents_desired d JOIN said ON said.agent_id = d.agent_id
"""


def answer(limit: int, now: datetime, state: str = "applied") -> None:
    """Let agents answer what is offered to them, in bulk, as a gateway's flush writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_ANSWER, {"state": state, "limit": limit, "now": now})
        cursor.execute("SET LOCAL enable_nestloop = on")
