"""A new wish for an agent meets what the agent last said. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agents.opamp.answer import wants_config
from agents.opamp.config_words import record_word
from agents.opamp.opamp_pb2 import RemoteConfigStatuses_APPLIED
from agents.opamp.shown_config import is_judged_by_it
from agents.opamp.state import AgentState


@dataclass(frozen=True, slots=True)
class Wish:
    """What the database says an agent should run.

    `refused`: the hash is in its refusal memory. `open_hash`: the hash of its open delivery or "".
    `unsent`: that delivery has not been sent by anyone yet. `overtaken` was sent before it, is not
    wanted any more, and nobody knows whether the agent got it; "" for none, and when it was not asked.
    """

    agent_id: int
    config_hash: str
    change: int
    refused: bool
    open_hash: str
    unsent: bool
    overtaken: str = ""


def take_wish(agent: AgentState, wish: Wish, now: float) -> bool:
    """Take the wish and return whether something must be sent now.

    A hash that the agent has already reported as applied settles the delivery here: an agent does
    not repeat a status (interop.md section 2). Unless another config is under way to it: then it is
    sent again and asked for its state, because what it said last is not what it will run. An older
    wish than the known one changes nothing.
    """
    if wish.change < agent.desired_change:
        return False
    agent.desired_hash, agent.desired_change = wish.config_hash, wish.change
    agent.refused, agent.open_hash = wish.refused, wish.open_hash
    agent.must_send = False
    is_open = wish.open_hash == wish.config_hash
    reported = (agent.config_hash, agent.config_status)
    if wish.overtaken and wish.overtaken not in (*agent.under_way, wish.config_hash):
        agent.under_way = (wish.overtaken, *agent.under_way)
    if is_open and reported == (wish.config_hash, RemoteConfigStatuses_APPLIED):
        if agent.under_way in ((), (wish.config_hash,)):
            record_word(agent, wish.config_hash, RemoteConfigStatuses_APPLIED, "", now)
            return False
        agent.must_send = agent.full_owed = True
        return wants_config(agent, now)
    if is_open and is_judged_by_it(agent.capabilities):
        # It may run that already, and would not show again what has not changed.
        agent.full_owed = True
    agent.must_send = is_open and wish.unsent
    return wants_config(agent, now)
