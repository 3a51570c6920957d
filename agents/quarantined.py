"""Whether a hash is kept from an agent, as SQL, for statements over many agents."""

from __future__ import annotations


def quarantined_sql(agent: str, config_hash: str) -> str:
    """Return the condition that a hash is quarantined for an agent, or for the fleet.

    Both are SQL of the statement around it. Reads the agent's own few quarantines and, once, those
    of the fleet, however many agents have refused the hash: `OFFSET 0` keeps PostgreSQL from
    reading the quarantines of the hash for each agent.
    """
    return f"""(EXISTS (
        SELECT 1 FROM (
            SELECT q.config_hash FROM agents_quarantine q
            WHERE q.agent_id = {agent} AND q.lifted_at IS NULL OFFSET 0
        ) mine WHERE mine.config_hash = {config_hash}
    ) OR {config_hash} IN (
        SELECT q.config_hash FROM agents_quarantine q
        WHERE q.agent_id IS NULL AND q.lifted_at IS NULL
    ))"""  # noqa: S608  both are SQL of ours
