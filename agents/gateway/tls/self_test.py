"""One TLS connection to ourselves at the start: what does not work fails now, not with the agents (R8)."""

from __future__ import annotations

import asyncio
import ssl

from cryptography.hazmat.primitives.serialization import Encoding

from agents.gateway.tls.files import ServerPair, TlsProblem

_PATIENCE_S = 10.0
_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  looked up, not bound


async def check_own_handshake(host: str, port: int, pair: ServerPair) -> None:
    """Raise TlsProblem unless a client gets through a TLS 1.3 handshake and sees our certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # It is compared with the one we mean: stricter than any chain.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = _ANY.get(host, host)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _reader, writer = await asyncio.open_connection(address, port, ssl=context)
    except (OSError, TimeoutError) as bad:
        raise TlsProblem("tls.self_test", port=port, why=str(bad) or "no answer") from bad
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    if shown != pair.leaf.public_bytes(Encoding.DER):
        raise TlsProblem("tls.self_test_other", port=port, file=pair.file)
