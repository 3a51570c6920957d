"""Connection settings: a plain form for people and the database, and the offer on the wire. Pure.

Each class of settings is always offered complete (OP-38; security.md R25). The plain form is
`{"opamp": {...}, "own_metrics": {...}, "own_traces": ..., "own_logs": ..., "other_connections":
{name: {...}}}` with OpAMP's own field names; `headers` is a plain mapping.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
_OWN = {
    "own_metrics": bits.REPORTS_OWN_METRICS,
    "own_traces": bits.REPORTS_OWN_TRACES,
    "own_logs": bits.REPORTS_OWN_LOGS,
}
CLASSES = ("opamp", *_OWN, "other_connections")


class SettingsError(ValueError):
    """The settings are not usable; the text says what and why."""


def check(settings: Settings) -> None:
    """Raise SettingsError for what no agent could use or what would harm it."""
    unknown = set(settings) - set(CLASSES)
    if unknown:
        raise SettingsError(f"{sorted(unknown)[0]} is not one of {', '.join(CLASSES)}")
    opamp = settings.get("opamp")
    if opamp is not None:
        if not str(opamp.get("destination_endpoint", "")).startswith(
            ("ws://", "wss://", "http://", "https://")
        ):
            raise SettingsError("opamp needs a destination_endpoint: a ws, wss, http or https URL")
        if not int(opamp.get("heartbeat_interval_seconds", 0)):
            raise SettingsError("opamp needs heartbeat_interval_seconds; 0 would end heartbeats")
    for one in [opamp or {}, *(settings.get(name) or {} for name in _OWN)]:
        if (one.get("tls") or {}).get("insecure_skip_verify"):
            raise SettingsError("insecure_skip_verify is never offered")


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
            # opamp-go takes a heartbeat interval with this bit alone.
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


_RELEVANT = (
    bits.ACCEPTS_OPAMP_SETTINGS
    | bits.REPORTS_HEARTBEAT
    | bits.ACCEPTS_OTHER_SETTINGS
    | bits.REPORTS_OWN_METRICS
    | bits.REPORTS_OWN_TRACES
    | bits.REPORTS_OWN_LOGS
)


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
            TLSCertificate(**{name: text.encode() for name, text in certificate.items()})
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
