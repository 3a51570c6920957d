"""Rows for page tests: a fleet, configs, a rollout in a given state. The least, nothing unasked."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.test import Client
from django.utils import timezone

from accounts.models import RoleBinding, User
from agents.models import Agent, AgentStatus, ConfigBody, Desired, GatewayLease, Quarantine
from rollouts.models import (
    Approval,
    Config,
    ConfigVersion,
    Event,
    Measurement,
    Phase,
    Plan,
    Rollback,
    RollbackTarget,
    Rollout,
    Target,
)

FIRST_SEEN = datetime(2026, 5, 12, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
TEXT = """\
receivers:
  otlp:
processors:
  batch:
    send_batch_size: {n}
exporters:
  debug:
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [debug]}}
"""


def make_user(name: str, *roles: str, password: str = "") -> User:
    """Create a person; without a password, because hashing one takes as long as a whole test."""
    user = User.objects.create(username=name)
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    RoleBinding.objects.bulk_create(RoleBinding(user=user, role=role) for role in roles)
    return user


def sign_in(name: str, *roles: str) -> Client:
    """Return a client of a new person with these roles."""
    client = Client()
    client.force_login(make_user(name, *roles))
    return client


class Answer(Protocol):
    """What a test client returns, as far as text goes."""

    @property
    def content(self) -> bytes: ...


def markup(answer: Answer) -> str:
    """Return the page with one space for each run of white space: its templates wrap their lines."""
    return " ".join(answer.content.decode().split())


def make_lease() -> GatewayLease:
    now = timezone.now()
    return GatewayLease.objects.create(
        id=uuid.uuid4(),
        host="gw",
        port=4320,
        pid=1,
        started_at=now,
        renewed_at=now + timedelta(days=1),
    )


def make_fleet(number: int, *, running: str = "", **labels: str) -> list[Agent]:
    """Create healthy, connected agents that run and should run the same config hash."""
    lease = GatewayLease.objects.first() or make_lease()
    now = timezone.now()
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


def make_config(name: str, versions: int, author: User | None = None) -> list[ConfigVersion]:
    """Create a config with numbered versions, oldest first."""
    now = timezone.now()
    config = Config.objects.create(name=name, created_at=now)
    made = []
    for number in range(1, versions + 1):
        body = f"# {name}\n{TEXT.format(n=number * 100)}".encode()
        ref = ConfigBody.objects.create(
            config_hash=hashlib.sha256(body).hexdigest(),
            body=body,
            size_bytes=len(body),
            created_at=now,
        )
        version = ConfigVersion.objects.create(
            config=config, number=number, body_ref=ref, author=author, created_at=now
        )
        made.append(version)
    return made


def make_rollout(
    version: ConfigVersion,
    *,
    state: str = "running",
    phases: Sequence[str] = ("passed", "observing", "pending"),
    agents: Sequence[Agent] = (),
    by: User | None = None,
    title: str = "Raise batch size",
) -> Rollout:
    """Create a rollout whose phases are in the given states; agents are dealt out in turn."""
    now = timezone.now()
    plan = Plan.objects.get(name="standard").parsed
    before = version.config.versions.filter(number=version.number - 1).first()
    rollout = Rollout.objects.create(
        config=version.config,
        version=version,
        previous_version=before,
        title=title,
        selector="env=prod",
        plan_name="standard",
        plan=plan,
        seed="ab" * 16,
        preview_at=now,
        state=state,
        why={"say": "Observing.", "next": "Then it goes on.", "tone": "run", "code": "observing"},
        created_by=by,
        created_at=now,
        started_by=by,
        started_at=None if state in {"draft", "scheduled"} else now,
        current_phase=next((i for i, s in enumerate(phases) if s not in {"passed"}), 0),
    )
    for index, (spec, phase_state) in enumerate(zip(plan["phases"], phases, strict=True)):
        mine = list(agents)[index :: len(phases)]
        begun = phase_state in {"passed", "observing", "deploying"}
        phase = Phase.objects.create(
            rollout=rollout,
            index=index,
            name=spec["name"],
            manual=not spec["auto_advance"],
            weight=spec["weight"],
            spec=spec,
            state=phase_state,
            counts={"members": len(mine), "applied": len(mine) if begun else 0},
            started_at=now if begun else None,
            deployed_at=now if begun else None,
        )
        Target.objects.bulk_create(
            Target(
                rollout=rollout,
                phase=phase,
                agent=agent,
                position=position,
                state="applied" if begun else "waiting",
                active=rollout.is_active,
                previous_hash=before.config_hash if before else "",
                offered_at=now if begun else None,
            )
            for position, agent in enumerate(mine)
        )
    return rollout


def make_events(rollout: Rollout, number: int) -> None:
    Event.objects.bulk_create(
        Event(
            rollout=rollout,
            seq=seq,
            at=timezone.now(),
            actor_kind="system",
            actor_name="system",
            act="start_phase",
            phase="canary",
            state_to="deploying",
            inputs={"members": 3},
        )
        for seq in range(1, number + 1)
    )


def make_readings(rollout: Rollout, number: int) -> None:
    phase = rollout.phases.get(index=1)
    now = timezone.now()
    Measurement.objects.bulk_create(
        Measurement(
            rollout=rollout,
            phase=phase,
            gate="criterion:failure_rate",
            metric="failure_rate",
            source="opamp",
            outcome="value",
            value=0.001,
            agents=10,
            samples=10,
            breached=False,
            at=now - timedelta(seconds=number - i),
        )
        for i in range(number)
    )


def make_rollback(to_hash: str, agents: list[Agent]) -> Rollback:
    """A running rollback by selector; the last agent is not back yet."""
    now = timezone.now()
    rollback = Rollback.objects.create(
        kind=Rollback.Kind.SELECTOR,
        selector="env=prod",
        reason="the canary loses data",
        requested_by_name="lin",
        counts={"targets": len(agents), "confirmed": len(agents) - 1},
        decided_at=now,
        offered_at=now,
    )
    for agent in agents:
        is_back = agent is not agents[-1]
        RollbackTarget.objects.create(
            rollback=rollback,
            agent=agent,
            from_hash="b" * 64,
            to_hash=to_hash,
            state="confirmed" if is_back else "offered",
            confirmed_at=now if is_back else None,
        )
    return rollback


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


def make_approval(rollout: Rollout, state: str = "waiting") -> Approval:
    now = timezone.now()
    return Approval.objects.create(
        phase=rollout.phases.latest("index"),
        state=state,
        evidence={"gates": [{"gate": "criterion:failure_rate", "metric": "failure_rate", "value": 0.001, "limit": 0.01, "unit": "fraction", "verdict": "pass"}]},
        digest="d" * 64,
        asked_at=now,
        expires_at=now + timedelta(hours=24),
    )  # fmt: skip
