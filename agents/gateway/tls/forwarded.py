"""A client's certificate as a proxy hands it on in a header (R11). Pure; verified elsewhere.

Three shapes: PEM in URL escapes (nginx: `$ssl_client_escaped_cert`), a byte sequence of RFC 9440
(`Client-Cert`, with `Client-Cert-Chain` beside it), and Envoy's `X-Forwarded-Client-Cert`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.serialization import Encoding

from console.lib.certificates import read_pem

XFCC = "x-forwarded-client-cert"
RFC_9440, RFC_9440_CHAIN = "client-cert", "client-cert-chain"
MAX_CHARACTERS = 48 * 1024
# key=value of one hop, where a value may be quoted: Cert="...";Chain="..."
_PART = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|$)')


class BadHeader(ValueError):
    """The header does not hold what it should."""


def chain_in(name: str, headers: Mapping[str, Sequence[str]]) -> tuple[bytes, ...]:
    """Return the chain in the header `name` (lower case), the client's first, as DER; () without one.

    Raises BadHeader, also for more than one value: then somebody added one to the proxy's.
    """
    value = _one(headers.get(name, ()))
    if not value or value == "-":
        return ()
    if name == RFC_9440:
        more = _one(headers.get(RFC_9440_CHAIN, ()))
        parts = [value, *(part.strip() for part in more.split(",") if more)]
        return tuple(_bytes(part) for part in parts)
    if name == XFCC:
        return _xfcc(value)
    return _pem(value)


def _one(values: Sequence[str]) -> str:
    if len(values) > 1:
        raise BadHeader("there is more than one value")
    value = values[0].strip() if values else ""
    if len(value) > MAX_CHARACTERS:
        raise BadHeader("it is too long")
    return value


def _bytes(item: str) -> bytes:
    """Read a byte sequence (RFC 8941): base64 between colons."""
    if len(item) < 3 or item[0] != ":" or item[-1] != ":":
        raise BadHeader("a value is no byte sequence as in RFC 9440, :base64:")
    try:
        return base64.b64decode(item[1:-1], validate=True)
    except (binascii.Error, ValueError) as bad:
        raise BadHeader("a value is not base64") from bad


def _pem(value: str) -> tuple[bytes, ...]:
    """Read PEM in URL escapes. nginx escapes the plus sign too, so none stands for a space."""
    try:
        found = read_pem(unquote_to_bytes(value))
        return tuple(one.public_bytes(Encoding.DER) for one in found)
    except ValueError as bad:
        raise BadHeader("it holds no certificate as PEM in URL escapes") from bad


def _xfcc(value: str) -> tuple[bytes, ...]:
    """Read Envoy's header of one hop; several are as bad as several headers."""
    found: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _PART.match(value, position)
        if match is None or match[1].lower() in found:
            raise BadHeader("it is not the X-Forwarded-Client-Cert of one proxy")
        found[match[1].lower()] = match[2].strip('"')
        position = match.end()
    pem = found.get("cert", "")
    if not pem:
        raise BadHeader("it has no Cert=")
    leaf, chain = _pem(pem), _pem(found["chain"]) if found.get("chain") else ()
    # Envoy's chain begins with the client's own certificate.
    return (*leaf, *(one for one in chain if one not in leaf))
