"""Whether an agent runs a config, by its own word: one SQL expression for all who ask.

A connection is another matter: what an agent said last stays said while it is away.
"""

from __future__ import annotations

from agents.models import ConfigStatus


def runs_sql(config_hash: str, status: str = "s") -> str:
    """Return SQL that is true when the agent's newest word is that it applied `config_hash`.

    `config_hash` is SQL for the hash, `status` the alias of agents_agentstatus; with an agent that
    never said anything the result may be null.
    """
    return (
        f"({status}.config_status = {ConfigStatus.APPLIED.value}"
        f" AND {status}.config_hash = {config_hash})"
    )
