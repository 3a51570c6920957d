"""Own metrics that no rollout watches; `agents.pruning` runs this, batch by batch."""

from __future__ import annotations

# Its parameters are a time and a limit.
DELETE_UNWATCHED = """
    DELETE FROM agents_series WHERE ctid = ANY(ARRAY(
        SELECT s.ctid FROM agents_series s
        WHERE s.at < %s AND NOT EXISTS (
            SELECT FROM rollouts_target t WHERE t.agent_id = s.agent_id AND t.active
        ) LIMIT %s
    ))
"""
