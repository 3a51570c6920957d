"""A rollout on its way back, or back, as it stands in the tables: for the pages that tell of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from agents.models import Agent, Quarantine
from rollouts.delivering.counts import recount
from rollouts.models import ConfigVersion, Event, Phase, Rollback, RollbackTarget, Rollout, Target
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user
from tests.make.rollouts import make_rollout

GATE: dict[str, Any] = {
    "gate": "threshold:failure_rate",
    "kind": "threshold",
    "metric": "failure_rate",
    "title": "Failure rate",
    "unit": "fraction",
    "operator": "above",
    "value": 0.95,
    "limit": 0.05,
    "verdict": "fail",
    "level": "critical",
    "sentence": "Failure rate is 95%.",
}
ERROR = "'verbosity' unknown metrics level \"loud\""
MET, NEVER = 20, 180


def make_way_back(
    *,
    back: int,
    running: bool = True,
    by: str = "",
    met: int = MET,
    never: int = NEVER,
    offline: int = 0,
    pace_s: float = 0.2,
) -> Rollout:
    """A rollout of v3 whose canary failed 3 s after its start and whose agents go back to v2.

    `back` of `met` have confirmed, one each `pace_s` after the decision; `by` a person decided; the
    last `offline` of them are away.
    """
    decided = timezone.now() - timedelta(seconds=met * pace_s)
    starter = make_user("starter", "operator")
    versions = make_config("edge", 3, starter)
    agents = make_fleet(met + never, running=versions[1].config_hash)
    state = "rolling_back" if running else "rolled_back"
    canary = "rolled_back" if by and not running else "observing" if by else "failed"
    rollout = make_rollout(
        versions[2], state=state, phases=(canary, "skipped", "skipped"), by=starter
    )
    _members(rollout, agents, versions[1], decided, met, back)
    rollback = Rollback.objects.create(
        rollout=rollout,
        kind="manual" if by else "automatic",
        state="running" if running else "succeeded",
        reason="Not what we wanted." if by else "Failure rate is 95%.",
        cause={} if by else {"gate": GATE, "only_silence": False},
        requested_by_name=by or "system",
        breach_at=None if by else decided - timedelta(milliseconds=100),
        decided_at=decided,
        offered_at=decided,
        finished_at=None if running else decided + timedelta(seconds=met * pace_s),
        counts={"targets": met, "confirmed": back},
    )
    RollbackTarget.objects.bulk_create(
        RollbackTarget(
            rollback=rollback,
            agent=agent,
            wave=1,
            from_hash=versions[2].config_hash,
            to_hash=versions[1].config_hash,
            state="confirmed" if i < back else "offered",
            online=i < met - offline,
            confirmed_at=decided + timedelta(seconds=(i + 1) * pace_s) if i < back else None,
        )
        for i, agent in enumerate(agents[:met])
    )
    Quarantine.objects.create(
        config_hash=versions[2].config_hash,
        outcome="rolled_back",
        cause=rollout.number,
        reason="rolled back",
        by="system",
        at=decided,
    )
    recount(rollout.phases.all(), timezone.now())
    return Rollout.objects.for_detail().get(pk=rollout.pk)


def _members(
    rollout: Rollout,
    agents: list[Agent],
    before: ConfigVersion,
    decided: datetime,
    met: int,
    back: int,
) -> None:
    """Put the first `met` agents into the canary and the others behind it."""
    canary, *later = rollout.phases.order_by("index")
    begun = decided - timedelta(seconds=3)
    Phase.objects.filter(pk=canary.pk).update(started_at=begun, finished_at=decided)
    Target.objects.bulk_create(
        Target(
            rollout=rollout,
            phase=canary if i < met else later[i % len(later)],
            agent=agent,
            position=i,
            state="rolled_back" if i < back else "failed" if i < met else "skipped",
            taken_from="failed" if i < back else "",
            error=ERROR if i < met else "",
            active=False,
            previous_hash=before.config_hash,
            offered_at=begun if i < met else None,
        )
        for i, agent in enumerate(agents)
    )


def make_course(rollout: Rollout) -> None:
    """Write the events of the way back."""
    rollback = rollout.rollback
    rows = [
        ("start_phase", "canary", {"members": MET}, -3.0),
        ("fail_phase", "canary", {"gate": GATE, "gates": [GATE]}, 0.0),
        ("roll_back", "", {"gate": GATE, "agents": MET}, 0.0),
        ("rollback_wave", "", {"wave": 1, "agents": MET}, 0.1),
    ]
    Event.objects.bulk_create(
        Event(
            rollout=rollout,
            seq=seq,
            at=rollback.decided_at + timedelta(seconds=after_s),
            actor_kind="system",
            actor_name="system",
            act=act,
            phase=phase,
            inputs=inputs,
        )
        for seq, (act, phase, inputs, after_s) in enumerate(rows, 1)
    )
