"""Whether something an agent said is missing, by its sequence numbers (OP-15, OP-16). Pure.

Two questions meet in one table: what is owed before a message comes, and what the message brings. The
rest is writing down the answer. Asking for the full state is in `answer.py`.
"""

from __future__ import annotations

from enum import Enum, auto

from agents.opamp import scan
from agents.opamp.bits import REPORTS_EFFECTIVE_CONFIG, REPORTS_HEALTH, REPORTS_REMOTE_CONFIG
from agents.opamp.scan import Report
from agents.opamp.state import AgentState

MAX_STORED = (1 << 63) - 1
_REPORTED = {
    REPORTS_EFFECTIVE_CONFIG: scan.EFFECTIVE_CONFIG,
    REPORTS_HEALTH: scan.HEALTH,
    REPORTS_REMOTE_CONFIG: scan.REMOTE_CONFIG_STATUS,
}


class Debt(Enum):
    """What an agent owes. The full state may have been asked for, or be asked for soon; or a message
    was refused unread and it has not been asked for since."""

    NOTHING = auto()
    FULL_STATE = auto()
    REFUSED = auto()


class Brings(Enum):
    """What a message brings: parts, a description among them, all that the agent says it reports, or
    the first report of a new process."""

    PARTS = auto()
    DESCRIPTION = auto()
    ALL = auto()
    NEW_PROCESS = auto()


class Then(Enum):
    """What becomes of the debt. After a gap the last refused message is not all that is missing."""

    SAME = auto()
    PAID = auto()
    GAP = auto()


# A new process is never out of turn: it begins to count anew. Who was asked has answered with a
# description, all there or not: asked again, it would say the same. What was refused unread may have
# been anything, so that takes all.
IN_TURN = {
    (Debt.NOTHING, Brings.PARTS): Then.SAME,
    (Debt.NOTHING, Brings.DESCRIPTION): Then.SAME,
    (Debt.NOTHING, Brings.ALL): Then.SAME,
    (Debt.NOTHING, Brings.NEW_PROCESS): Then.SAME,
    (Debt.FULL_STATE, Brings.PARTS): Then.SAME,
    (Debt.FULL_STATE, Brings.DESCRIPTION): Then.PAID,
    (Debt.FULL_STATE, Brings.ALL): Then.PAID,
    (Debt.FULL_STATE, Brings.NEW_PROCESS): Then.PAID,
    (Debt.REFUSED, Brings.PARTS): Then.SAME,
    (Debt.REFUSED, Brings.DESCRIPTION): Then.SAME,
    (Debt.REFUSED, Brings.ALL): Then.PAID,
    (Debt.REFUSED, Brings.NEW_PROCESS): Then.PAID,
}
OUT_OF_TURN = {
    (Debt.NOTHING, Brings.PARTS): Then.GAP,
    (Debt.NOTHING, Brings.DESCRIPTION): Then.GAP,
    (Debt.NOTHING, Brings.ALL): Then.SAME,
    (Debt.FULL_STATE, Brings.PARTS): Then.GAP,
    (Debt.FULL_STATE, Brings.DESCRIPTION): Then.PAID,
    (Debt.FULL_STATE, Brings.ALL): Then.PAID,
    (Debt.REFUSED, Brings.PARTS): Then.GAP,
    (Debt.REFUSED, Brings.DESCRIPTION): Then.GAP,
    (Debt.REFUSED, Brings.ALL): Then.PAID,
}


def follow(agent: AgentState, report: Report, raw_hash: int, now: float, *, is_retry: bool) -> bool:
    """Follow the numbers with one message. Return whether the agent's process is a new one.

    In turn is the next number, a retry, or a new process; but not what comes of an agent that nobody
    knows and that does not describe itself. `raw_hash` is a hash of the message's bytes.
    """
    number = report.sequence_num & MAX_STORED
    previous, agent.sequence_num = agent.sequence_num, number
    if agent.missed and number == previous + 1 and raw_hash == agent.missed_frame:
        # The message that was refused last has come again, and none is missing before it.
        agent.full_owed = agent.missed = False
    is_described = scan.DESCRIPTION in report.parts
    is_new = is_described and number <= 1 and (not agent.known or number < previous)
    if is_new and agent.known and previous > 1:
        agent.change().event(now, "restarted", sequence_num=previous)
        agent.change().status = True
    follows = is_retry or number == previous + 1 or is_new
    is_in_turn = follows and (agent.known or is_described)
    if is_in_turn and not agent.full_owed:
        return is_new  # nearly always
    cases = IN_TURN if is_in_turn else OUT_OF_TURN
    then = cases[_debt(agent), _brings(report, is_new=is_new)]
    if then is Then.PAID:
        agent.full_owed = agent.missed = False
    elif then is Then.GAP:
        agent.full_owed = True
        agent.missed_frame = None
    return is_new


def _debt(agent: AgentState) -> Debt:
    if not agent.full_owed:
        return Debt.NOTHING
    return Debt.REFUSED if agent.missed else Debt.FULL_STATE


def _brings(report: Report, *, is_new: bool) -> Brings:
    if is_new:
        return Brings.NEW_PROCESS
    if scan.DESCRIPTION not in report.parts:
        return Brings.PARTS
    promised = (number for bit, number in _REPORTED.items() if report.capabilities & bit)
    return Brings.ALL if all(number in report.parts for number in promised) else Brings.DESCRIPTION
