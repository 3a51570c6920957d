"""Who calls, as far as the connection itself says: address, certificate chain, Authorization headers.

A proxy that we trust may tell the first two instead (R11, R12). Whether it is trusted is decided by the
other end of the socket, never by anything that was sent.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.gateway.metrics import Metrics
from agents.gateway.options import ProxyOptions
from agents.gateway.sockets.not_admitted import NotAdmitted
from agents.gateway.tls.context import chain_of
from agents.gateway.tls.forwarded import BadHeader, chain_in

# Where proxies and clouds put a client's certificate. None of these counts but the one that is
# configured; they are known to be counted.
CERTIFICATE_HEADERS = frozenset(
    {
        "client-cert",
        "client-cert-chain",
        "ssl-client-cert",
        "x-amzn-mtls-clientcert",
        "x-arr-clientcert",
        "x-client-cert",
        "x-forwarded-client-cert",
        "x-forwarded-tls-client-cert",
        "x-ssl-cert",
        "x-ssl-client-cert",
    }
)
FORWARDED_FOR = "x-forwarded-for"
Headers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` is the client's, `chain` what it showed (DER, its own certificate first)."""

    address: str
    authorization: tuple[str, ...] = ()
    chain: tuple[bytes, ...] = ()


class Callers:
    """Makes a `Caller` of a connection and the headers of a request (lower-case names)."""

    def __init__(self, proxies: ProxyOptions, metrics: Metrics) -> None:
        self._trusted = proxies.trusted
        self._header = proxies.certificate_header.lower()
        self._ignored = metrics.headers_ignored

    def of(self, transport: asyncio.BaseTransport | None, headers: Headers) -> Caller:
        """Return who calls. Raises NotAdmitted for a certificate header that cannot be read."""
        peer = peer_of(transport)[0]
        by_proxy = self._is_trusted(peer)
        counts = {self._header} if by_proxy else set()
        if any(_plain(name) in CERTIFICATE_HEADERS and name not in counts for name in headers):
            self._ignored.inc()
        if self._header:
            chain = self._forwarded(headers) if by_proxy else ()
        else:
            chain = chain_of(_tls_of(transport))
        address = self._client(peer, headers) if by_proxy else peer
        return Caller(address, tuple(headers.get("authorization", ())), chain)

    def _forwarded(self, headers: Headers) -> tuple[bytes, ...]:
        try:
            return chain_in(self._header, headers)
        except BadHeader as bad:
            raise NotAdmitted(400, "certificate_header", f"{self._header}: {bad}.") from bad

    def _client(self, peer: str, headers: Headers) -> str:
        """Return the rightmost forwarded address that is no proxy of ours; what stands left of it was
        sent by the client."""
        for entry in reversed(",".join(headers.get(FORWARDED_FOR, ())).split(",")):
            address = _address(entry.strip())
            if address is None:
                return peer
            if not self._is_trusted(address):
                return address
        return peer

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return any((mapped or parsed) in network for network in self._trusted)


def peer_of(transport: asyncio.BaseTransport | None) -> tuple[str, int]:
    """Return address and port of the socket's other end; never of a forwarded header (R12)."""
    peer = transport.get_extra_info("peername") if transport is not None else None
    return (str(peer[0]), int(peer[1])) if peer else ("unknown", 0)


def _tls_of(transport: asyncio.BaseTransport | None) -> ssl.SSLObject | None:
    return transport.get_extra_info("ssl_object") if transport is not None else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _address(text: str) -> str | None:
    """Return an entry of X-Forwarded-For without its port; None when it is no address."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
