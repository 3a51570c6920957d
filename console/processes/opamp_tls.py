"""The settings of TLS and proxies as a gateway takes them. Raises ValueError with the mend."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from django.conf import settings

from agents.gateway.options import ProxyOptions, TlsOptions


def tls_options() -> TlsOptions | None:
    """Return what OPAMP_TLS_... say; None without TLS."""
    if not settings.OPAMP_TLS_ENABLED:
        return None
    for name in ("OPAMP_TLS_CERT", "OPAMP_TLS_KEY"):
        if not getattr(settings, name):
            raise ValueError(
                f"OPAMP_TLS_ENABLED is on and {name} is empty; set it to a PEM file "
                "(`manage.py certs server` makes both), or set OPAMP_TLS_ENABLED=false"
            )
    client_ca, rule = settings.OPAMP_TLS_CLIENT_CA, settings.OPAMP_TLS_IDENTITY_RULE
    _check_rule(rule)
    return TlsOptions(
        certificate=Path(settings.OPAMP_TLS_CERT),
        key=Path(settings.OPAMP_TLS_KEY),
        client_ca=Path(client_ca) if client_ca else None,
        identity_rule=rule,
        requires_client=_one_of("OPAMP_TLS_CLIENT_CERT", "optional", "required") == "required",
        allows_tls12=_one_of("OPAMP_TLS_MIN_VERSION", "1.3", "1.2") == "1.2",
        is_strict=settings.OPAMP_TLS_STRICT_HANDSHAKE,
    )


def proxy_options() -> ProxyOptions:
    """Return which proxies are trusted, and with what."""
    networks = []
    for written in settings.OPAMP_TRUSTED_PROXIES:
        try:
            networks.append(ipaddress.ip_network(written.strip()))
        except ValueError as bad:
            raise ValueError(
                f"OPAMP_TRUSTED_PROXIES names {written!r}, which is no address or network: {bad}; "
                "write 10.0.0.7 or 10.0.0.0/8"
            ) from bad
    return ProxyOptions(tuple(networks), settings.OPAMP_CLIENT_CERT_HEADER.strip())


def _one_of(name: str, *allowed: str) -> str:
    found = str(getattr(settings, name)).strip().lower()
    if found not in allowed:
        raise ValueError(f"{name} is {found!r}; write {' or '.join(allowed)}")
    return found


def _check_rule(rule: str) -> None:
    try:
        groups = re.compile(rule).groupindex.keys() & {"uid", "name"}
    except re.error as bad:
        raise ValueError(f"OPAMP_TLS_IDENTITY_RULE is no regular expression: {bad}") from bad
    if rule and not groups:
        raise ValueError(
            "OPAMP_TLS_IDENTITY_RULE has neither a group uid nor a group name, so it says whose "
            r"nobody's certificate is; write one, as in spiffe://[^/]+/agent/(?P<uid>.+)"
        )
