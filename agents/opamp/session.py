"""One message of one agent: what it changes and what is answered (opamp-protocol.md 2.3). Pure.

`handle` moves the given state forward, collects in `state.changes` what must be stored, and
returns the answer's bytes. Bytes, timers and storing belong to `agents.gateway`. Whether a message is
missing is in `sequence.py`, reading what a part says in `report.py`, composing what is sent in
`answer.py`.
"""

from __future__ import annotations

from agents.opamp.answer import answer
from agents.opamp.bits import REQUEST_INSTANCE_UID
from agents.opamp.outgoing import Rename
from agents.opamp.report import parse_changed, take_parts
from agents.opamp.scan import Report
from agents.opamp.sequence import MAX_STORED, follow
from agents.opamp.server_facts import ServerFacts
from agents.opamp.state import AgentState


def handle(
    agent: AgentState, report: Report, server: ServerFacts, now: float, raw_hash: int = 0
) -> bytes:
    """Take one message and return the answer, a serialized ServerToAgent.

    `raw_hash` is a hash of the message's bytes, to know a retry (OP-02); 0 when there is none.
    Raises Malformed when a part cannot be parsed; then nothing has changed.
    """
    agent.last_seen = now
    if report.is_bare:
        return answer(agent, server, now)
    is_retry = raw_hash != 0 and raw_hash == agent.last_frame
    changed = {} if is_retry or not report.parts else parse_changed(agent, report, server, now)
    agent.last_frame = raw_hash
    restarted = follow(agent, report, raw_hash, now, is_retry=is_retry)
    capabilities = report.capabilities & MAX_STORED
    if capabilities != agent.capabilities:
        agent.capabilities = capabilities
        agent.change().capabilities = True
    if report.parts and not is_retry:
        take_parts(agent, changed, server, restarted=restarted, now=now)
    if report.flags & REQUEST_INSTANCE_UID:
        _order_uid(agent, server, now)
    return answer(agent, server, now)


def _order_uid(agent: AgentState, server: ServerFacts, now: float) -> None:
    """Give an agent with a temporary uid a lasting one; asked again, the same one (OP-06)."""
    if agent.ordered_uid is None:
        agent.ordered_uid = server.new_uid()
        agent.change().ordered_uid = True
        agent.change().event(now, "rename_ordered", new_uid=agent.ordered_uid.hex())
    agent.outbox = [*(agent.outbox or ()), Rename(agent.ordered_uid)]
