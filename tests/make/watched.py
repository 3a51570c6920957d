"""A rollout with phases that are watched: the least rows that a test of evidence needs."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from agents.models import Agent, ConfigBody
from rollouts.models import Config, ConfigVersion, Phase, Rollout, Target
from rollouts.plans.parse import plan_from_data
from tests.make.times import NOW

PLAN: dict[str, Any] = {
    "name": "test",
    "phases": [
        {
            "name": "canary",
            "weight": "100%",
            "duration": "60s",
            "success_criteria": [
                {"metric": "failure_rate", "operator": "<", "threshold": 0.05},
            ],
        }
    ],
    "thresholds": {"failure_rate": {"warning": "5%", "critical": "20%"}},
}


def make_bare_rollout(
    plan: dict[str, Any] | None = None, *, state: str = "running", now: datetime = NOW
) -> Rollout:
    """Return a rollout of a new config, without phases."""
    config_hash = uuid.uuid4().hex * 2
    body = ConfigBody.objects.create(
        config_hash=config_hash, body=b"x", size_bytes=1, created_at=now
    )
    config = Config.objects.create(name=f"c-{config_hash[:8]}", created_at=now)
    version = ConfigVersion.objects.create(config=config, number=1, body_ref=body, created_at=now)
    return Rollout.objects.create(
        config=config,
        version=version,
        title="t",
        selector="*",
        plan_name="test",
        plan=plan_from_data(plan or PLAN).to_dict(),
        seed="s",
        preview_at=now,
        state=state,
        created_at=now,
        started_at=now,
    )


def make_phase(
    rollout: Rollout,
    *,
    index: int = 0,
    state: str = "observing",
    observed_s: float = 60.0,
    now: datetime = NOW,
    **fields: Any,
) -> Phase:
    """Return a phase that has been observed for `observed_s` seconds at `now`."""
    deployed_at = now - timedelta(seconds=observed_s)
    known: dict[str, Any] = {
        "name": f"phase-{index}",
        "weight": 1.0,
        "spec": rollout.plan["phases"][min(index, len(rollout.plan["phases"]) - 1)],
        "started_at": deployed_at - timedelta(seconds=10),
        "deployed_at": deployed_at if state != "deploying" else None,
    }
    return Phase.objects.create(rollout=rollout, index=index, state=state, **{**known, **fields})


def make_target(phase: Phase, *, state: str = "applied", **fields: Any) -> Target:
    """Return a target of a new agent; `labels` go to the agent."""
    agent = Agent.objects.create(
        instance_uid=uuid.uuid4(), first_seen_at=NOW, labels=fields.pop("labels", {})
    )
    return Target.objects.create(
        rollout=phase.rollout,
        phase=phase,
        agent=agent,
        position=agent.pk,
        state=state,
        **fields,
    )
