"""Connection settings as people write them: every mistake at once, with its place. Pure.

The plain form is that of `agents.opamp.settings`. Each class is complete or refused (OP-38;
security.md R25), and what would take an agent away or open it is never offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.opamp.settings import CLASSES
from console.lib.durations import BadValue, shown
from console.lib.fields import Fields, Where, in_data, raise_if_any
from console.lib.problems import FieldError
from console.lib.texts import text

OPAMP_SCHEMES = ("ws://", "wss://", "http://", "https://")
TELEMETRY_SCHEMES = ("http://", "https://")
MAX_HEARTBEAT_S = 86_400
_PARTS = ("destination_endpoint", "headers", "certificate", "tls", "proxy")
_TLS = (
    "ca_pem_contents",
    "include_system_ca_certs_pool",
    "insecure_skip_verify",
    "min_version",
    "max_version",
    "cipher_suites",
)
_CERTIFICATE = ("cert", "private_key", "ca_cert")


def read_settings(data: object, where: Where = in_data) -> dict[str, Any]:
    """Return the settings of a document, unchanged. Raises Invalid naming every wrong place."""
    errors: list[FieldError] = []
    settings = Fields(data, where, errors)
    settings.known(*CLASSES)
    if settings.is_mapping and not settings.data:
        settings.wrong(None, text("settings.nothing", classes=", ".join(CLASSES)))
    if settings.has("opamp"):
        _read_opamp(settings.child("opamp"))
    for name in CLASSES:
        if name.startswith("own_") and settings.has(name):
            _read_connection(settings.child(name), TELEMETRY_SCHEMES)
    others = settings.child("other_connections")
    for name in others.data:
        other = others.child(name)
        _read_connection(other, (), "other_settings")
        _read_texts(other, "other_settings")
    raise_if_any(errors)
    return settings.data


def _read_opamp(opamp: Fields) -> None:
    if opamp.required("destination_endpoint") and opamp.data["destination_endpoint"] == "":
        opamp.wrong("destination_endpoint", text("settings.no_endpoint"))
    opamp.required("heartbeat_interval_seconds")
    if opamp.data.get("heartbeat_interval_seconds") == 0:
        opamp.wrong("heartbeat_interval_seconds", text("settings.no_heartbeat"))
    else:
        opamp.whole("heartbeat_interval_seconds", 30, least=1, most=MAX_HEARTBEAT_S)
    _read_connection(opamp, OPAMP_SCHEMES, "heartbeat_interval_seconds")


def _read_connection(one: Fields, schemes: tuple[str, ...], *more: str) -> None:
    one.known(*_PARTS, *more)
    one.read("destination_endpoint", _url_of(schemes), "")
    _read_texts(one, "headers")
    if one.has("certificate"):
        certificate = one.child("certificate")
        certificate.known(*_CERTIFICATE)
        for name in _CERTIFICATE:
            certificate.text(name, max_length=100_000)
    if one.has("tls"):
        _read_tls(one.child("tls"))
    if one.has("proxy"):
        proxy = one.child("proxy")
        proxy.known("url", "connect_headers")
        proxy.text("url")
        _read_texts(proxy, "connect_headers")


def _read_tls(tls: Fields) -> None:
    tls.known(*_TLS)
    for name in ("ca_pem_contents", "min_version", "max_version"):
        tls.text(name, max_length=100_000)
    tls.flag("include_system_ca_certs_pool", False)
    if tls.flag("insecure_skip_verify", False):
        tls.wrong("insecure_skip_verify", text("settings.never_insecure"))
    suites: list[str] = []
    tls.read("cipher_suites", _texts, suites)


def _read_texts(parent: Fields, key: str) -> None:
    """Read a mapping of texts."""
    if parent.has(key):
        pairs = parent.child(key)
        for name in pairs.data:
            pairs.text(name)


def _url_of(schemes: tuple[str, ...]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        # Empty switches own telemetry off: interop.md section 2.
        if not isinstance(value, str) or (value and schemes and not value.startswith(schemes)):
            right = ", ".join(schemes) or "a URL"
            raise BadValue("settings.bad_url", read=shown(value), right=right)
        return value

    return parse


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadValue("settings.no_texts", read=shown(value))
    return value
