"""The agents of a phase, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from rollouts.engine.states import TargetState

_TARGETS = """
    INSERT INTO rollouts_target (rollout_id, phase_id, agent_id, position, state, active,
                                 previous_hash, online, away, was_unhealthy, error)
    SELECT %(rollout)s, %(phase)s, m.agent_id, m.place - 1, %(waiting)s, false,
           coalesce(s.running_hash, ''), coalesce(s.connected, false),
           %(waits)s AND s.connected IS NOT TRUE, false, ''
    FROM unnest(%(agents)s::bigint[]) WITH ORDINALITY AS m(agent_id, place)
    LEFT JOIN agents_agentstatus s ON s.agent_id = m.agent_id
"""


def write_targets(rollout: int, phase: int, agents: Sequence[int], *, waits_for_away: bool) -> None:
    """Write a target for each of these agents, in their order, with what each runs now.

    `waits_for_away`: those that are not connected get the version when they return.
    """
    values: dict[str, Any] = {
        "rollout": rollout,
        "phase": phase,
        "agents": list(agents),
        "waits": waits_for_away,
        "waiting": TargetState.WAITING.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, values)
