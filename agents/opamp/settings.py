"""Connection settings: a plain form for people and the database, and the offer on the wire. Pure.

Each class of settings is always offered complete (OP-38; security.md R25). The plain form is
`{"opamp": {...}, "own_metrics": {...}, "own_traces": ..., "own_logs": ..., "other_connections":
{name: {...}}}` with OpAMP's own field names; `headers` is a plain mapping.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from agents.opamp import bits
from agents.opamp.opamp_pb2 import (
    ConnectionSettingsOffers,
    Headers,
    OpAMPConnectionSettings,
    OtherConnectionSettings,
    ProxyConnectionSettings,
    ServerToAgent,
    TelemetryConnectionSettings,
    TLSCertificate,
    TLSConnectionSettings,
)

Settings = Mapping[str, Any]
# What stands in a certificate's `private_key` when the agent's gateway holds the key in memory: this and
# the SHA-256 of its public key. The key itself is in no row (security.md section 4, mode push).
HELD_KEY = "held:"
_OWN = {
    "own_metrics": bits.REPORTS_OWN_METRICS,
    "own_traces": bits.REPORTS_OWN_TRACES,
    "own_logs": bits.REPORTS_OWN_LOGS,
}
# The capabilities with which an agent is sent something of a class.
TAKEN_BY = {
    # opamp-go takes a heartbeat interval with its bit alone.
    "opamp": bits.ACCEPTS_OPAMP_SETTINGS | bits.REPORTS_HEARTBEAT,
    **_OWN,
    "other_connections": bits.ACCEPTS_OTHER_SETTINGS,
}
CLASSES = tuple(TAKEN_BY)


def settings_hash(settings: Settings, salt: str = "") -> str:
    """Return the hex SHA-256 over all settings and a salt (OP-37, OP-41)."""
    text = json.dumps([salt, settings], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Offer:
    """Settings ready to be sent; the bytes are made once per set of capabilities."""

    __slots__ = ("_made", "hash", "settings")

    def __init__(self, settings: Settings, offer_hash: str) -> None:
        self.settings = settings
        self.hash = offer_hash
        self._made: dict[int, bytes] = {}

    @property
    def held_key(self) -> str:
        """Which key the gateway has to add, "" for none."""
        certificate = (self.settings.get("opamp") or {}).get("certificate") or {}
        named = str(certificate.get("private_key", ""))
        return named.removeprefix(HELD_KEY) if named.startswith(HELD_KEY) else ""

    def part_for(self, capabilities: int) -> bytes:
        """Return ServerToAgent.connection_settings for an agent; empty when nothing is allowed."""
        allowed = capabilities & _RELEVANT
        part = self._made.get(allowed)
        if part is None:
            part = self._made[allowed] = self._make(allowed)
        return part

    def _make(self, capabilities: int) -> bytes:
        message = ConnectionSettingsOffers()
        opamp = self.settings.get("opamp")
        if opamp and capabilities & bits.ACCEPTS_OPAMP_SETTINGS:
            _fill_opamp(message.opamp, opamp)
        elif opamp and capabilities & bits.REPORTS_HEARTBEAT:
            message.opamp.heartbeat_interval_seconds = int(opamp["heartbeat_interval_seconds"])
        for name, bit in _OWN.items():
            if self.settings.get(name) and capabilities & bit:
                _fill_telemetry(getattr(message, name), self.settings[name])
        if capabilities & bits.ACCEPTS_OTHER_SETTINGS:
            for name, one in (self.settings.get("other_connections") or {}).items():
                _fill_other(message.other_connections[name], one)
        if not message.ByteSize():
            return b""
        message.hash = bytes.fromhex(self.hash)
        return ServerToAgent(connection_settings=message).SerializeToString()


def with_key(part: bytes, pem: bytes) -> bytes:
    """Return an offer with the private key of its certificate: concatenated messages merge."""
    message = ConnectionSettingsOffers()
    message.opamp.certificate.private_key = pem
    return part + ServerToAgent(connection_settings=message).SerializeToString()


_RELEVANT = reduce(or_, TAKEN_BY.values())


def _fill_opamp(message: OpAMPConnectionSettings, one: Settings) -> None:
    message.heartbeat_interval_seconds = int(one["heartbeat_interval_seconds"])
    _fill(message, one)


def _fill_telemetry(message: TelemetryConnectionSettings, one: Settings) -> None:
    _fill(message, one)


def _fill_other(message: OtherConnectionSettings, one: Settings) -> None:
    for key, value in (one.get("other_settings") or {}).items():
        message.other_settings[key] = str(value)
    _fill(message, one)


def _fill(
    message: OpAMPConnectionSettings | TelemetryConnectionSettings | OtherConnectionSettings,
    one: Settings,
) -> None:
    message.destination_endpoint = one.get("destination_endpoint", "")
    message.headers.CopyFrom(_headers(one.get("headers") or {}))
    if certificate := one.get("certificate"):
        message.certificate.CopyFrom(
            TLSCertificate(
                **{
                    name: text.encode()
                    for name, text in certificate.items()
                    if not text.startswith(HELD_KEY)
                }
            )
        )
    if tls := one.get("tls"):
        message.tls.CopyFrom(TLSConnectionSettings(**tls))
    if proxy := one.get("proxy"):
        message.proxy.CopyFrom(
            ProxyConnectionSettings(
                url=proxy.get("url", ""),
                connect_headers=_headers(proxy.get("connect_headers") or {}),
            )
        )


def _headers(pairs: Mapping[str, str]) -> Headers:
    message = Headers()
    for key, value in pairs.items():
        message.headers.add(key=key, value=value)
    return message
