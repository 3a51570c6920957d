"""What a connection starts TLS with: made whole for each change and never changed afterwards (R6, R7).

Taking an authority out of a context that is in use does not work, so nothing is ever taken out of one.
And as each new connection starts with the newest context itself, not with a listening one that points to
it, versions, tickets and what is asked of clients change with it too.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator, Sequence

from cryptography import x509

from agents.gateway.options import TlsOptions
from agents.gateway.tls.files import ServerPair
from console.lib.certificates import to_pem

# OpenSSL, x509_vfy.h; Python has no names for them in 3.11. The first leaves times to `verify_peer`;
# the second lets an intermediate be trusted without its root.
_NO_CHECK_TIME = 0x200000
_PARTIAL_CHAIN = 0x80000
_DER = 2  # _ssl.ENCODING_DER


def make_context(
    options: TlsOptions, pair: ServerPair, authorities: Sequence[x509.Certificate]
) -> ssl.SSLContext:
    """Return a complete context. Raises ssl.SSLError, OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = (
        ssl.TLSVersion.TLSv1_2 if options.allows_tls12 else ssl.TLSVersion.TLSv1_3
    )
    # With a ticket, a client was let in again after its authority was gone (measured).
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    with _as_file(pair.certificate) as chain, _as_file(pair.key) as key:
        context.load_cert_chain(chain, key)
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _PARTIAL_CHAIN)
    if not options.is_strict:
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    if authorities:
        context.load_verify_locations(cadata="".join(map(to_pem, authorities)))
    if options.requires_client:
        context.verify_mode = ssl.CERT_REQUIRED
    elif authorities:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """Give a name under which OpenSSL reads these bytes: it takes files only. Nothing is on a disk."""
    number = os.memfd_create("tidegate-tls", os.MFD_CLOEXEC)
    try:
        os.write(number, data)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def chain_of(connection: ssl.SSLObject | None) -> tuple[bytes, ...]:
    """Return what the client showed in the handshake, as DER, its own certificate first; () for none."""
    if connection is None:
        return ()
    shown = getattr(connection, "get_unverified_chain", None)  # Python 3.13
    if shown is not None:
        return tuple(shown() or ())
    leaf = connection.getpeercert(binary_form=True)
    if leaf is None:
        return ()
    # The same method, not yet public: without it an intermediate that came along would be missed.
    found = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
    return tuple(one.public_bytes(_DER) for one in found or ()) or (leaf,)
