"""The one way out: every request that Tidegate makes to somebody else goes through here (R42).

http and https only, no credentials in URLs, no redirects, a deadline for the whole exchange, a cap
on the answer. The name is resolved once, its addresses are checked, and the connection goes to the
checked address, so that a name that answers differently the second time leads nowhere. Addresses
inside are refused unless an administrator allowed the host.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import urllib3
from urllib3.util import Timeout

from console.lib.problems import Refused, Transient
from console.lib.web.timed_reads import end_reads_at

TIMEOUT_S = 10.0
MAX_BYTES = 5 * 1024 * 1024
_CHUNK = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Refused):
    """The URL or the address behind it is not allowed; trying again cannot help."""

    code = "outbound_refused"


class Unreachable(Transient):
    """No usable answer: the other side is away, too slow, or sends too much."""

    code = "outbound_failed"


class _NotConnected(Unreachable):
    """Nobody listens at this address; a name may have others."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outbound:
    """A client with its policy. `allow` names hosts that an administrator vouches for: their
    addresses may be inside. `ca_file` replaces the system's authorities."""

    allow: Collection[str] = ()
    ca_file: str = ""
    timeout_s: float = TIMEOUT_S
    max_bytes: int = MAX_BYTES
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Send a GET. Raises AddressRefused, Unreachable."""
        return self.request("GET", url, headers=headers)

    def post(
        self, url: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a POST. Raises AddressRefused, Unreachable."""
        return self.request(
            "POST", url, body=body, headers={**(headers or {}), "Content-Type": content_type}
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request. A status is not an error, a redirect is."""
        target = _Target.of(url)
        deadline = time.monotonic() + self.timeout_s
        *others, last = self._addresses(target)
        for address in others:
            try:
                return self._ask(target, address, deadline, method, body, headers)
            except _NotConnected:
                continue
        return self._ask(target, last, deadline, method, body, headers)

    def _ask(
        self,
        target: _Target,
        address: str,
        deadline: float,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Response:
        pool = self._pool(target, address)
        end_reads_at(pool, deadline)
        sent = {"Host": target.host_header, "Accept-Encoding": "identity"}
        try:
            response = pool.urlopen(
                method,
                target.path,
                body=body,
                headers={**sent, **self.headers, **(headers or {})},
                redirect=False,
                retries=False,
                assert_same_host=False,
                preload_content=False,
                timeout=Timeout(total=max(0.1, deadline - time.monotonic())),
            )
            return self._read(target, response)
        except urllib3.exceptions.NewConnectionError as error:
            raise _NotConnected(
                "outbound.no_answer", host=target.host, error=_words(error)
            ) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Unreachable(
                "outbound.too_slow", host=target.host, seconds=f"{self.timeout_s:g}"
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(
                "outbound.no_answer", host=target.host, error=_words(error)
            ) from error
        finally:
            pool.close()

    def _addresses(self, target: _Target) -> list[str]:
        """Resolve the name and return the addresses, if all of them may be connected to."""
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(
                "outbound.not_resolved", host=target.host, error=_words(error)
            ) from error
        addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
        if target.host not in self.allow:
            for address in addresses:
                if not is_global(address):
                    raise AddressRefused("outbound.inside", host=target.host, address=address)
        return list(dict.fromkeys(addresses))

    def _pool(self, target: _Target, address: str) -> urllib3.HTTPConnectionPool:
        if not target.is_tls:
            return urllib3.HTTPConnectionPool(address, target.port)
        return urllib3.HTTPSConnectionPool(
            address,
            target.port,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self.ca_file or None,
            server_hostname=target.host,
            assert_hostname=target.host,
        )

    def _read(self, target: _Target, response: urllib3.BaseHTTPResponse) -> Response:
        if 300 <= response.status < 400:
            raise Unreachable("outbound.redirects", host=target.host, status=response.status)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Unreachable("outbound.encoding", host=target.host)
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self.max_bytes:
                raise Unreachable("outbound.too_much", host=target.host, most=self.max_bytes)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, headers, bytes(body))


@dataclass(frozen=True, slots=True)
class _Target:
    """The parts of a URL that passed the rules."""

    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> _Target:
        """Take a URL apart. Raises AddressRefused."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise AddressRefused(
                "outbound.no_url", url=repr(url[:200]), error=str(error)
            ) from error
        if parts.scheme not in ("http", "https"):
            raise AddressRefused("outbound.scheme", scheme=repr(parts.scheme[:20]))
        if parts.username is not None or parts.password is not None:
            raise AddressRefused("outbound.credentials")
        if not host or any(character <= " " or character == "\x7f" for character in url):
            raise AddressRefused("outbound.no_host", url=repr(url[:200]))
        is_tls = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(host, port or (443 if is_tls else 80), path, is_tls)


def host_of(url: str) -> str:
    """Return the host of a URL, to allow one that an administrator configured."""
    return _Target.of(url).host


def is_global(address: str) -> bool:
    """Tell whether an address is outside, looking through IPv4 that is written as IPv6."""
    plain = _unwrapped(ipaddress.ip_address(address))
    return plain.is_global and not plain.is_multicast


def _unwrapped(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return address


def _words(error: Exception) -> str:
    """Return the innermost reason, which is what a person can act on."""
    reason: object = error
    while isinstance(reason, urllib3.exceptions.HTTPError):
        inner = getattr(reason, "reason", None) or reason.__cause__
        if not isinstance(inner, Exception):
            break
        reason = inner
    return str(reason)[:300]
