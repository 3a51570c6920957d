"""One message of one agent: what it changes and what is answered (opamp-protocol.md 2.3). Pure.

`handle` moves the given state forward, collects in `state.changes` what must be stored, and
returns the answer's bytes. Bytes, timers and storing belong to `agents.gateway`. Reading what a
part says is in `report.py`, composing what is sent in `answer.py`.
"""

from __future__ import annotations

from agents.opamp import scan
from agents.opamp.answer import answer
from agents.opamp.bits import (
    REPORTS_EFFECTIVE_CONFIG,
    REPORTS_HEALTH,
    REPORTS_REMOTE_CONFIG,
    REQUEST_INSTANCE_UID,
)
from agents.opamp.outgoing import Rename
from agents.opamp.report import parse_changed, take_parts
from agents.opamp.scan import Report
from agents.opamp.server_facts import ServerFacts
from agents.opamp.state import AgentState

MAX_STORED = (1 << 63) - 1
_REPORTED = {
    REPORTS_EFFECTIVE_CONFIG: scan.EFFECTIVE_CONFIG,
    REPORTS_HEALTH: scan.HEALTH,
    REPORTS_REMOTE_CONFIG: scan.REMOTE_CONFIG_STATUS,
}


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
    changed = {} if is_retry or not report.parts else parse_changed(agent, report)
    agent.last_frame = raw_hash
    if agent.missed:
        _recover(agent, report, raw_hash)
    restarted = _follow_sequence(agent, report, is_retry, now)
    capabilities = report.capabilities & MAX_STORED
    if capabilities != agent.capabilities:
        agent.capabilities = capabilities
        agent.change().capabilities = True
    if report.parts and not is_retry:
        take_parts(agent, changed, server, restarted=restarted, now=now)
    if report.flags & REQUEST_INSTANCE_UID:
        _order_uid(agent, server, now)
    return answer(agent, server, now)


def _recover(agent: AgentState, report: Report, raw_hash: int) -> None:
    """Owe nothing when the message refused last has come again and none is missing before it."""
    is_next = report.sequence_num & MAX_STORED == agent.sequence_num + 1
    if is_next and raw_hash == agent.missed_frame:
        agent.full_owed = agent.missed = False


def _follow_sequence(agent: AgentState, report: Report, is_retry: bool, now: float) -> bool:
    """Compare sequence numbers (OP-15, OP-16). Return whether the agent process is a new one.

    `full_owed` is set when something was missed; the answer asks for it, not too often.
    """
    number = report.sequence_num & MAX_STORED
    previous, agent.sequence_num = agent.sequence_num, number
    is_full = scan.DESCRIPTION in report.parts
    is_fresh = is_full and number <= 1 and (not agent.known or number < previous)
    if is_fresh and agent.known and previous > 1:
        agent.change().event(now, "restarted", sequence_num=previous)
        agent.change().status = True
    follows = is_retry or number == previous + 1 or is_fresh
    if follows and not agent.full_owed and (agent.known or is_full):
        return is_fresh
    is_asked_for = agent.full_owed and not agent.missed
    if is_full and (is_fresh or is_asked_for or _is_complete(report)):
        agent.full_owed = agent.missed = False
    elif not (follows and (agent.known or is_full)):
        agent.full_owed = True
        agent.missed_frame = None
    return is_fresh


def _is_complete(report: Report) -> bool:
    """Whether every part is there that the agent says it reports."""
    return all(
        number in report.parts for bit, number in _REPORTED.items() if report.capabilities & bit
    )


def _order_uid(agent: AgentState, server: ServerFacts, now: float) -> None:
    """Give an agent with a temporary uid a lasting one; asked again, the same one (OP-06)."""
    if agent.ordered_uid is None:
        agent.ordered_uid = server.new_uid()
        agent.change().ordered_uid = True
        agent.change().event(now, "rename_ordered", new_uid=agent.ordered_uid.hex())
    agent.outbox = [*(agent.outbox or ()), Rename(agent.ordered_uid)]
