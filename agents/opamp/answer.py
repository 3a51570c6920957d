"""What is sent to an agent: gates, offers, and how they are put together. Pure.

Serialized parts are concatenated: concatenated protobuf messages merge, so what is shared by many
agents is serialized once (gateway.md section 11). Nothing leaves that the agent's current
capabilities do not allow (OP-20), and nothing beside an error or a command (OP-22, OP-54).
"""

from __future__ import annotations

from agents.opamp import bits
from agents.opamp.opamp_pb2 import (
    RetryInfo,
    ServerErrorResponse,
    ServerErrorResponseType_BadRequest,
    ServerErrorResponseType_Unavailable,
    ServerToAgent,
)
from agents.opamp.outgoing import Custom, NotCertified, Restart
from agents.opamp.server_facts import ServerFacts
from agents.opamp.settings import Offer, with_key
from agents.opamp.signed_config import CAPABILITY as SIGNATURES
from agents.opamp.state import AgentState

RESEND_AFTER_S = 30.0
FULL_STATE_EVERY_S = 5.0
MIN_RETRY_S = 30.0
# An agent that answers nothing must not make the memory of what it was sent grow.
MOST_UNDER_WAY = 4
_FLAGS_TAG = b"\x30"
ERROR_TAG = b"\x12"


def answer(agent: AgentState, server: ServerFacts, now: float) -> bytes:
    """Return everything there is to say to the agent now; at least the acknowledgement."""
    extra = signature = b""
    is_config_due = bool(agent.desired_hash) and wants_config(agent, now)
    if is_config_due and SIGNATURES in agent.accepts_custom:
        signature = server.signature_parts.get(agent.desired_hash, b"")
    # A message holds one custom message: what waits to be said lets a signature go first.
    if agent.outbox and not (signature and any(isinstance(s, Custom) for s in agent.outbox)):
        said, is_alone = _next_said(agent, server, now)
        if is_alone:
            # An error has no room for the greeting: it goes with the message after it.
            agent.greeted = agent.greeted or not said.startswith(ERROR_TAG)
            return agent.ack + said
        extra = said
    if not agent.greeted:
        agent.greeted = True
        extra += server.greeting
    if agent.full_owed or agent.components_hash not in server.known_components:
        extra += _flags(agent, server, now)
    if is_config_due:
        extra = _with_config(extra, signature, agent, server, now)
    if agent.wanted_settings is not None or server.default_settings is not None:
        extra += _settings(agent, server, now)
    return agent.ack + extra if extra else agent.ack


def push(agent: AgentState, server: ServerFacts, now: float) -> bytes:
    """Return what must be said without waiting for a report, or nothing (OP-33)."""
    said = answer(agent, server, now)
    return b"" if said is agent.ack else said


def wants_config(agent: AgentState, now: float) -> bool:
    """Whether the desired config must be sent (OP-26, OP-28, OP-29). Hashes decide, nothing else."""
    if not agent.capabilities & bits.ACCEPTS_REMOTE_CONFIG or agent.refused:
        return False
    if agent.must_send:
        return True
    if agent.config_hash == agent.desired_hash:
        return False
    if agent.offered_hash != agent.desired_hash:
        return True
    reports = agent.capabilities & bits.REPORTS_REMOTE_CONFIG
    return bool(reports) and now - agent.offered_at >= RESEND_AFTER_S


def wanted_offer(agent: AgentState, server: ServerFacts) -> Offer | None:
    """Return the settings this agent should use: its own, else everyone's."""
    return agent.wanted_settings or server.default_settings


def error(uid: bytes, text: str) -> bytes:
    """Return a BadRequest: uid, if known, and the error, nothing else (OP-22, OP-25)."""
    response = ServerErrorResponse(type=ServerErrorResponseType_BadRequest, error_message=text)
    return ServerToAgent(instance_uid=uid, error_response=response).SerializeToString()


def unavailable(uid: bytes, text: str, retry_after_s: float) -> bytes:
    """Return an Unavailable with the time to wait, at least 30 s (OP-14)."""
    retry = RetryInfo(retry_after_nanoseconds=int(max(retry_after_s, MIN_RETRY_S) * 1e9))
    response = ServerErrorResponse(
        type=ServerErrorResponseType_Unavailable, error_message=text, retry_info=retry
    )
    return ServerToAgent(instance_uid=uid, error_response=response).SerializeToString()


def _next_said(agent: AgentState, server: ServerFacts, now: float) -> tuple[bytes, bool]:
    """Take the next thing from the outbox. What stands alone (a restart, an error) makes the rest
    wait for the next message."""
    waiting = agent.outbox or []
    while waiting:
        said = waiting.pop(0)
        if said.allowed(agent.capabilities, agent.accepts_custom):
            agent.outbox = waiting or None
            return said.part(server.capabilities), isinstance(said, Restart | NotCertified)
        agent.change().event(now, "not_sent", what=type(said).__name__.lower())
    agent.outbox = None
    return b"", False


def _flags(agent: AgentState, server: ServerFacts, now: float) -> bytes:
    flags = 0
    if (
        agent.full_owed
        and now - agent.full_asked_at >= FULL_STATE_EVERY_S
        and server.may_ask_full(now)
    ):
        agent.full_asked_at = now
        agent.missed = False
        flags |= bits.REPORT_FULL_STATE
    if (
        agent.components_hash
        and agent.capabilities & bits.REPORTS_AVAILABLE_COMPONENTS
        and server.must_ask_components(agent.components_hash, now)
    ):
        flags |= bits.REPORT_AVAILABLE_COMPONENTS
    return _FLAGS_TAG + bytes([flags]) if flags else b""


def _with_config(
    extra: bytes, signature: bytes, agent: AgentState, server: ServerFacts, now: float
) -> bytes:
    """Add the config with its signature, and remember the offer. A body not at hand is sent when it
    is loaded."""
    part = server.config_parts.get(agent.desired_hash)
    if part is None:
        return extra
    part += signature
    if len(extra) + len(part) + len(agent.ack) > server.max_answer_bytes:
        agent.must_send = False
        agent.offered_hash, agent.offered_at = agent.desired_hash, now
        agent.change().event(
            now, "config_too_large", config_hash=agent.desired_hash, size_bytes=len(part)
        )
        return extra
    agent.must_send = False
    agent.offered_hash, agent.offered_at = agent.desired_hash, now
    sent = tuple(one for one in agent.under_way if one != agent.desired_hash)
    agent.under_way = (*sent, agent.desired_hash)[-MOST_UNDER_WAY:]
    if agent.open_hash == agent.desired_hash:
        fact = agent.change().delivery(agent.desired_hash)
        fact.sent_at = fact.sent_at or now
    return extra + part


def _settings(agent: AgentState, server: ServerFacts, now: float) -> bytes:
    """Offer connection settings once per hash (OP-37, OP-40; interop.md: never twice unasked).

    An agent that reports the hash it uses is offered them whenever it differs, once a connection;
    of any other only our own record tells, because a repeated offer makes it reconnect for ever.
    """
    offer = wanted_offer(agent, server)
    if offer is None or agent.settings_sent_hash == offer.hash:
        return b""
    if agent.wanted_settings is None and agent.open_hash:
        return b""  # a collector restarts to take it: not while it applies a config
    reports = agent.capabilities & bits.REPORTS_SETTINGS_STATUS
    if offer.hash == (agent.settings_hash if reports else agent.settings_offered_hash):
        return b""
    part = offer.part_for(agent.capabilities)
    if not part:
        return b""  # said before anything is made: such an agent is asked with every heartbeat
    if offer.held_key:
        if agent.held_key is None or agent.held_key[0] != offer.held_key:
            return b""  # the gateway that made the key is gone, and the key with it
        part = with_key(part, agent.held_key[1])
        agent.held_key = None
    agent.settings_sent_hash = agent.settings_offered_hash = offer.hash
    changes = agent.change()
    changes.settings = changes.status = changes.visible = True
    changes.event(now, "settings_offered", settings_hash=offer.hash)
    return server.fill_offer(part, agent.id)
