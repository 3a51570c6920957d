"""The settings an agent is offered with a certificate: complete, or agents take the rest for unset
(security.md R25; OP-38). Pure.

To a supervisor the CA beside its certificate is the one that verifies *our server*; to others it is
the issuer of the certificate. An offer never says insecure_skip_verify.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.opamp.settings import HELD_KEY

TLS_SCHEMES = ("wss://", "https://")
_HEARTBEAT_S = 30


@dataclass(frozen=True, slots=True)
class OfferedCertificate:
    """A certificate with its chain, the authority above it, both PEM; `held_key` names a key that the
    agent's gateway holds and adds when it sends the offer, "" when the agent has it."""

    chain_pem: str
    authority_pem: str
    held_key: str = ""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where agents connect, and the PEM of the CAs that verify it; "" where the system's do."""

    url: str
    server_bundle_pem: str = ""

    @property
    def is_tls(self) -> bool:
        return self.url.startswith(TLS_SCHEMES)


def entrance_of(settings: Mapping[str, Any] | None, usual: Entrance) -> Entrance:
    """Return where an agent that was offered these settings is to connect: where it was told to, if
    that is over TLS, else where everyone does."""
    told = str(((settings or {}).get("opamp") or {}).get("destination_endpoint", ""))
    return Entrance(told, usual.server_bundle_pem) if told.startswith(TLS_SCHEMES) else usual


def whole_settings(
    settings: Mapping[str, Any] | None,
    entrance: Entrance,
    certificate: OfferedCertificate,
    *,
    is_supervisor: bool,
) -> dict[str, Any]:
    """Return the settings with the certificate, in the plain form of `agents.opamp.settings`.

    `settings` are those offered before: what they say of headers, heartbeat, proxy and the other
    classes stays as it is.
    """
    before = dict((settings or {}).get("opamp") or {})
    bundle = entrance.server_bundle_pem
    beside = bundle if is_supervisor and bundle else certificate.authority_pem
    shown = {"cert": certificate.chain_pem, "ca_cert": beside}
    if certificate.held_key:
        shown["private_key"] = HELD_KEY + certificate.held_key
    opamp = {
        "destination_endpoint": entrance.url,
        "headers": before.get("headers") or {},
        "heartbeat_interval_seconds": before.get("heartbeat_interval_seconds") or _HEARTBEAT_S,
        "certificate": shown,
        "tls": {
            "ca_pem_contents": bundle,
            "include_system_ca_certs_pool": not bundle,
            "insecure_skip_verify": False,
        },
    }
    if before.get("proxy"):
        opamp["proxy"] = before["proxy"]
    return {**(settings or {}), "opamp": opamp}
