"""Rollouts in a given state, and what belongs to them, as rows that no engine wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from agents.models import Agent
from rollouts.models import (
    Approval,
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
