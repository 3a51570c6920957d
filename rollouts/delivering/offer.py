"""Offers the version to the next targets of a phase, in line, within what may be in flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from agents.actions.set_desired import set_desired
from rollouts.limits.budget import lease, release
from rollouts.models import Phase, Rollout, Target


@dataclass(frozen=True, slots=True)
class Offered:
    """How many targets were offered the version, and what held others back (a sentence part)."""

    count: int = 0
    held_by: str = ""


def offer(rollout: Rollout, phases: Sequence[Phase], limit: int, now: datetime) -> Offered:
    """Offer to at most `limit` online, waiting targets of these phases, in order.

    The caller holds the rollout's lock; takes budgets, then the push lock.
    """
    if limit <= 0 or not phases:
        return Offered()
    line = Target.objects.filter(
        phase__in=phases, state="waiting", online=True, active=True, agent__status__connected=True
    ).order_by("phase__index", "position")
    ids = list(line.values_list("agent_id", flat=True)[:limit])
    leased = lease(ids, rollout.topic, now)
    if not leased.allowed:
        return Offered(0, leased.note)
    result = set_desired(
        wants=dict.fromkeys(leased.allowed, rollout.version.config_hash),
        cause=rollout.topic,
        topic=rollout.topic,
        now=now,
    )
    _mark(rollout, result.offered, now, state="offered")
    _mark(rollout, result.already_running, now, state="applied")
    Target.objects.filter(rollout=rollout, agent_id__in=result.quarantined).update(
        state="skipped", error="quarantined for this version"
    )
    settled = [*result.already_running, *result.quarantined]
    if settled:
        release(rollout.topic, settled)
    return Offered(len(leased.allowed), leased.note)


_MARK = """
    UPDATE rollouts_target t SET
        state = %(state)s,
        offered_at = %(now)s,
        confirmed_at = CASE WHEN %(state)s = 'applied' THEN %(now)s END,
        previous_hash = coalesce(s.running_hash, ''),
        healthy = s.healthy,
        was_unhealthy = s.healthy IS FALSE,
        deadline_at = CASE WHEN %(state)s = 'offered' THEN
            %(now)s + make_interval(secs => (p.spec #>> '{pace,apply_timeout_s}')::float8) END
    FROM rollouts_phase p, agents_agentstatus s
    WHERE t.rollout_id = %(rollout)s AND t.agent_id = ANY(%(agents)s::bigint[])
      AND p.id = t.phase_id AND s.agent_id = t.agent_id
"""


def _mark(rollout: Rollout, agents: Sequence[int], now: datetime, *, state: str) -> None:
    """Note the offer, and what each agent ran until now: its way back."""
    if not agents:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK, {"rollout": rollout.pk, "agents": list(agents), "now": now, "state": state}
        )
