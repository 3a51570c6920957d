"""What a gateway was asked for: addresses, limits, intervals (gateway.md; security.md section 8)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

KIBIBYTE = 1024
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of security.md section 8; sizes in bytes, times in seconds."""

    message_bytes: int = 64 * MEBIBYTE
    answer_bytes: int = 64 * MEBIBYTE
    scan_above_bytes: int = 256 * KIBIBYTE
    elements: int = 100_000
    depth: int = 64
    receiving_bytes: int = 256 * MEBIBYTE
    messages_per_s: float = 10.0
    messages_burst: float = 50.0
    bytes_per_s: float = 1.0 * MEBIBYTE
    bytes_burst: float = 64.0 * MEBIBYTE
    connections_per_address: int = 500
    connections_on_loopback: int = 50_000
    unproven_connections: int = 1_000
    handshakes_per_s: float = 2_000.0
    # A whole process's fleet may come back at once: 10,000 are in and stored within five seconds,
    # while who is refused stays away for thirty (OP-14).
    handshakes_burst: float = 20_000.0
    failed_auth_per_minute: int = 20
    failed_auth_pause_s: float = 300.0
    head_s: float = 10.0
    first_message_s: float = 30.0
    # How long a message may take to come whole, over either transport.
    body_s: float = 30.0
    # How long a poll waits for its agent to be loaded before it is told to come again.
    load_s: float = 4.0
    lagging_bytes: int = 1 * MEBIBYTE
    lagging_s: float = 30.0
    # So many within that time close a WebSocket; what is older is forgiven bit by bit.
    bad_messages: int = 5
    bad_messages_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often a gateway does things by itself, in seconds."""

    flush_s: float = 0.2
    poll_s: float = 2.5
    lease_s: float = 5.0
    sweep_s: float = 5.0
    last_seen_s: float = 20.0
    heartbeat_s: float = 30.0
    http_poll_s: float = 30.0
    missed_heartbeats: float = 3.0
    probe_s: float = 3.0
    # Silence on a WebSocket is noticed within that time, whatever heartbeats were promised: who
    # has said nothing for `ping_s` is asked for a sign of life.
    silence_s: float = 150.0
    ping_s: float = 60.0
    # A stop: connections are closed over `drain_s`, who does not answer is cut after `goodbye_s`,
    # requests that are being answered have `requests_s`.
    drain_s: float = 5.0
    goodbye_s: float = 2.0
    requests_s: float = 1.0

    def ending_within(self, seconds: float) -> Intervals:
        """Return the same intervals with a stop that takes no longer; a fifth is left for writing."""
        return replace(
            self, drain_s=seconds * 0.5, goodbye_s=seconds * 0.2, requests_s=seconds * 0.1
        )


AUTHS = ("none", "token", "mtls", "any", "mtls+token")


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The files and rules of TLS (security.md R6 to R9).

    `client_ca` is a file of further authorities beside those of the database; their certificates are
    mapped by `identity_rule`. With `requires_client` there is no handshake without a certificate.
    `is_strict` has OpenSSL look at times too: an expired certificate is then told by no sentence.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    identity_rule: str = ""
    requires_client: bool = False
    allows_tls12: bool = False
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """What proxies in front may tell (R11, R12): from which addresses, and in which header the
    client's certificate stands; "" = certificates are taken from our own handshake only."""

    trusted: tuple[IPv4Network | IPv6Network, ...] = ()
    certificate_header: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """Where and how one gateway process listens. `auth` says what an agent must show: "none" (on
    loopback only), "token", "mtls", "any" of the two, or "mtls+token"."""

    host: str = "127.0.0.1"
    port: int = 4320
    path: str = "/v1/opamp"
    metrics_port: int | None = None
    reuse_port: bool = False
    auth: str = "none"
    own_metrics_url: str = ""
    tls: TlsOptions | None = None
    proxies: ProxyOptions = field(default_factory=ProxyOptions)
    limits: Limits = field(default_factory=Limits)
    intervals: Intervals = field(default_factory=Intervals)

    @property
    def paths(self) -> frozenset[str]:
        """Where OpAMP is served: agents whose address has no path ask for "/"."""
        return frozenset({self.path, "/"})

    def check(self) -> None:
        """Raise ValueError for an address that would let anyone in (security.md section 3)."""
        if self.auth not in AUTHS:
            raise ValueError(f"--auth is one of {', '.join(AUTHS)}, not {self.auth}")
        if self.auth == "none" and not is_loopback(self.host):
            raise ValueError(
                f"--auth none would let anyone at {self.host} act as an agent; "
                "use --auth token, or listen on 127.0.0.1"
            )
        if "mtls" in self.auth and self.tls is None and not self.proxies.certificate_header:
            raise ValueError(
                f"--auth {self.auth} asks for certificates, and nobody can show one: set "
                "OPAMP_TLS_CERT and OPAMP_TLS_KEY, or OPAMP_CLIENT_CERT_HEADER behind a proxy"
            )
        if self.proxies.certificate_header and not self.proxies.trusted:
            raise ValueError(
                "OPAMP_CLIENT_CERT_HEADER is read from trusted proxies only, and there is none: "
                "set OPAMP_TRUSTED_PROXIES to their addresses, e.g. 10.0.0.0/8"
            )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can connect to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
