"""An agent asks for a certificate: what of it is taken down, and what is refused at once. Pure.

A refusal is an answer to the message that asked (OP-45). What is taken is stored with the next flush;
the certificate comes later, with an offer of settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from agents.opamp.opamp_pb2 import ConnectionSettingsRequest
from agents.opamp.requests.signing_request import (
    BadSigningRequest,
    read_signing_request,
    require_uid,
)
from agents.opamp.server_facts import ServerFacts
from agents.opamp.state import AgentState
from agents.opamp.wire import Malformed

MOST_PER_HOUR = 10
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class AskedCertificate:
    """A request that may be stored: its PEM as it came, and the SHA-256 of its DER."""

    csr: str
    digest: str


def read_asked(
    agent: AgentState,
    message: ConnectionSettingsRequest,
    uid: bytes,
    server: ServerFacts,
    now: float,
) -> AskedCertificate | None:
    """Return what the agent asks for; None for an empty request, which asks for nothing.

    `uid` is that of the message. Raises Malformed (OP-45, OP-46).
    """
    csr = message.opamp.certificate_request.csr
    if not csr:
        return None
    if not server.issues_certificates:
        raise Malformed("this server issues no certificates")
    try:
        found = read_signing_request(csr)
        require_uid(found, UUID(bytes=uid))
    except BadSigningRequest as problem:
        raise Malformed(str(problem)) from problem
    _bound(agent, found.digest, now)
    return AskedCertificate(csr.decode("ascii", "replace"), found.digest)


def _bound(agent: AgentState, digest: str, now: float) -> None:
    """Refuse an agent that asks for one certificate after another. The same again is no new one."""
    recent = {one: at for one, at in (agent.asked or {}).items() if now - at < _HOUR_S}
    if digest not in recent and len(recent) >= MOST_PER_HOUR:
        raise Malformed(f"an agent may ask for {MOST_PER_HOUR} certificates an hour")
    agent.asked = {**recent, digest: now}
