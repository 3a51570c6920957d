"""What an agent says of a config hash, and what it means for deliveries and refusals. Pure."""

from __future__ import annotations

import hashlib

from agents.opamp import bits, shown_config
from agents.opamp.attributes import clean_words
from agents.opamp.opamp_pb2 import (
    RemoteConfigStatus,
    RemoteConfigStatuses,
    RemoteConfigStatuses_APPLIED,
    RemoteConfigStatuses_FAILED,
    RemoteConfigStatuses_UNSET,
)
from agents.opamp.shown_config import is_judged_by_it
from agents.opamp.state import AgentState, Word
from agents.opamp.trees import MAX_ERROR_CHARS
from agents.opamp.wedged import wedged_since

# The same four of connection settings.
_STATUSES = frozenset(RemoteConfigStatuses.values())
MAX_HASH_CHARS = 128


def take_config_status(agent: AgentState, message: RemoteConfigStatus, now: float) -> None:
    """Take the agent's word for a hash (OP-26 to OP-30; spec section 4, "Confirmed").

    A status that repeats what was known settles nothing by itself, unless it is the first answer to
    an offer of this connection: after a restart, and with each full report, an agent repeats old words.
    """
    config_hash = message.last_remote_config_hash.hex()[:MAX_HASH_CHARS]
    status = known_status(message.status)
    error = clean_words(message.error_message, MAX_ERROR_CHARS)
    error_hash = error_digest(error)
    if status == RemoteConfigStatuses_APPLIED and _is_doubtful(agent, config_hash):
        if agent.doubted != config_hash:
            agent.doubted = config_hash
            agent.in_doubt = agent.full_owed = True
        return
    is_news = (config_hash, status, error_hash) != (
        agent.config_hash,
        agent.config_status,
        agent.config_error_hash,
    )
    if is_news:
        agent.config_hash, agent.config_status = config_hash, status
        agent.config_error_hash = error_hash
        agent.in_doubt, agent.doubted = False, ""
        changes = agent.change()
        changes.status = changes.visible = True
        changes.config_error = error
    if not config_hash:
        if status == RemoteConfigStatuses_UNSET and (agent.running_hash or agent.refused_hash):
            # It knows of no config: what it ran and refused is gone with its storage.
            _note_loss(agent, now)
            take_running(agent, "")
        return
    if status == RemoteConfigStatuses_APPLIED:
        if is_news:
            _note_fall_back(agent, config_hash, now)
        if config_hash != agent.running_hash or agent.refused_hash:
            take_running(agent, config_hash)
    is_answer = config_hash == agent.offered_hash and config_hash in agent.under_way
    if status in (RemoteConfigStatuses_APPLIED, RemoteConfigStatuses_FAILED):
        _take_answer(agent, config_hash)
    if is_news or is_answer:
        record_word(agent, config_hash, status, error, now)


def take_running(agent: AgentState, config_hash: str) -> None:
    """The agent runs this config now, "" for one that nobody knows."""
    if agent.running_hash not in ("", config_hash):
        agent.former_hash = agent.running_hash
    agent.running_hash = config_hash
    agent.refused_hash = agent.wedged_since = ""
    changes = agent.change()
    changes.status = changes.visible = True


def take_shown(agent: AgentState, config_hash: str, now: float) -> None:
    """Take what the effective config of an agent that reports no status says it runs; "" for a
    config that is none of those it was sent."""
    status = RemoteConfigStatuses_APPLIED if config_hash else None
    is_news = (agent.config_hash, agent.config_status) != (config_hash, status)
    if is_news:
        agent.config_hash, agent.config_status, agent.config_error_hash = config_hash, status, ""
        agent.change().config_error = ""
        if config_hash:
            _note_fall_back(agent, config_hash, now)
            _take_answer(agent, config_hash)
        take_running(agent, config_hash)
    if config_hash and (is_news or config_hash in (agent.offered_hash, agent.open_hash)):
        record_word(agent, config_hash, RemoteConfigStatuses_APPLIED, "", now)


def _is_doubtful(agent: AgentState, config_hash: str) -> bool:
    """Whether an agent says to run what it has just refused and was not sent again. A supervisor does
    so when the timer of an earlier config runs out (interop.md section 2), while it runs the one from
    before: what it shows decides, where it shows anything."""
    reported = (agent.config_hash, agent.config_status)
    return (
        reported == (config_hash, RemoteConfigStatuses_FAILED)
        and config_hash not in agent.under_way
        and bool(agent.capabilities & bits.REPORTS_EFFECTIVE_CONFIG)
    )


def _note_fall_back(agent: AgentState, config_hash: str, now: float) -> None:
    """Remember what an agent left by itself: it ran what is wanted of it, and now runs another config
    that nobody asked for. Offered again, it would leave it again (OP-28).

    A config that is still under way was asked for: sent before something else was wanted, it is
    applied after that, and the agent is to come back from it.
    """
    left = agent.desired_hash
    if not left or agent.running_hash != left or config_hash == left:
        return
    if config_hash in agent.under_way:
        return
    changes = agent.change()
    changes.fallen[left] = config_hash
    changes.well.discard(left)
    changes.event(now, "fell_back", config_hash=left, runs=config_hash)
    agent.refused = True


def _take_answer(agent: AgentState, config_hash: str) -> None:
    """An agent takes what it is sent in order: with its answer, what was sent before is over too."""
    if config_hash in agent.under_way:
        agent.under_way = agent.under_way[agent.under_way.index(config_hash) + 1 :]


def _note_loss(agent: AgentState, now: float) -> None:
    """Count a return without the config that it ran. Given it again at once, the agent may run it at
    every look: only the count tells (spec section 4)."""
    if not agent.running_hash:
        return
    agent.config_losses += 1
    agent.config_lost_at = now
    agent.change().event(now, "lost_config", config_hash=agent.running_hash)


def note_well(agent: AgentState) -> None:
    """Remember that an agent runs a config and is not unwell: what it said against that config before
    holds no longer."""
    runs = agent.config_status == RemoteConfigStatuses_APPLIED and agent.config_hash
    if runs and agent.healthy is not False:
        agent.change().well.add(agent.config_hash)


def note_well_again(agent: AgentState) -> None:
    """An agent has become healthy. After a refusal it runs something, so it does not refuse
    everything; what it runs it is asked to show (a port was taken, and has been freed since)."""
    note_well(agent)
    if agent.config_status != RemoteConfigStatuses_FAILED:
        return
    agent.refused_hash = agent.wedged_since = ""
    if agent.capabilities & bits.REPORTS_EFFECTIVE_CONFIG:
        agent.in_doubt = agent.full_owed = True


def take_seen_running(agent: AgentState, config_hash: str, now: float) -> None:
    """Take what an agent shows that refused a config and then became healthy, or said to run it; ""
    when it shows none that we know. It runs that, whatever it said, and is kept from it no longer.

    Without its APPLIED, its FAILED stays for deliveries and rollouts: said again, it is the old word.
    """
    agent.in_doubt = False
    if not config_hash:
        return
    if config_hash == agent.doubted:
        agent.doubted = agent.config_error_hash = agent.change().config_error = ""
        agent.config_status = RemoteConfigStatuses_APPLIED
        take_running(agent, config_hash)
        record_word(agent, config_hash, RemoteConfigStatuses_APPLIED, "", now)
        return
    if agent.healthy is False:
        return
    if config_hash != agent.running_hash:
        take_running(agent, config_hash)
    agent.change().well.add(config_hash)


def known_status(number: int) -> int:
    """Return one of the statuses of configs or settings; UNSET for a number that is none of them."""
    return number if number in _STATUSES else RemoteConfigStatuses_UNSET


def error_digest(error: str) -> str:
    """Return what tells one error text from another; PostgreSQL's md5() gives the same."""
    return hashlib.md5(error.encode(), usedforsecurity=False).hexdigest() if error else ""


def record_word(agent: AgentState, config_hash: str, status: int, error: str, now: float) -> None:
    """Record that the agent named this hash: an acknowledgement, and perhaps the outcome."""
    fact = agent.change().delivery(config_hash)
    fact.acknowledged_at = fact.acknowledged_at or now
    fact.confirmed_by = shown_config.SOURCE if is_judged_by_it(agent.capabilities) else ""
    agent.change().visible = True
    if status == RemoteConfigStatuses_APPLIED:
        fact.settle(Word.APPLIED, now)
        note_well(agent)
    elif status == RemoteConfigStatuses_FAILED:
        fact.settle(Word.FAILED, now, error)
        agent.change().refusals[config_hash] = error
        agent.change().well.discard(config_hash)
        if config_hash == agent.desired_hash:
            agent.refused = True
        agent.change().event(now, "config_failed", config_hash=config_hash, error=error[:500])
        _take_refusal(agent, config_hash, now)
    if fact.outcome is not None and config_hash == agent.open_hash:
        agent.open_hash = ""


def _take_refusal(agent: AgentState, config_hash: str, now: float) -> None:
    """See whether the agent refuses everything (`wedged.py`): then nobody knows what it runs."""
    since = agent.wedged_since or wedged_since(
        config_hash,
        running=agent.running_hash,
        former=agent.former_hash,
        first_refused=agent.refused_hash,
        is_unhealthy=agent.healthy is False,
    )
    agent.refused_hash = agent.refused_hash or config_hash
    if since and not agent.wedged_since:
        agent.wedged_since = since
        agent.former_hash = agent.running_hash or agent.former_hash
        agent.running_hash = ""
        agent.change().event(now, "wedged", config_hash=since)
    agent.change().status = True
