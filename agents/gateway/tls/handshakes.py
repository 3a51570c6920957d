"""Why a handshake failed, for operators: what OpenSSL says in codes, as a reason of the door's list."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

# X509_verify_cert's codes (x509_vfy.h): times are looked at only with `is_strict`.
_EXPIRED, _NOT_YET, _PURPOSE = 10, 9, 26
_UNTRUSTED = {2, 18, 19, 20, 21, 24}
# What the client says of *our* certificate, as alerts that arrive.
_OURS_REFUSED = {
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust the authority of the server's certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client refuses the server's certificate, its name perhaps",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client says that the server's certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client refuses the server's certificate",
    "TLSV1_ALERT_ACCESS_DENIED": "the client refuses the server's certificate",
}
_NO_VERSION = {
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
    "NO_SHARED_CIPHER",
    "VERSION_TOO_LOW",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "NO_PROTOCOLS_AVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Failed:
    """A reason that `console.words.refusals` has words for, and what else is known. Not `is_told`:
    nobody's fault worth a line, such as a connection that went away."""

    reason: str
    detail: str = ""
    is_told: bool = True


def failure(error: OSError) -> Failed:
    """Return why: `error` is what the handshake raised."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error)
    if not isinstance(error, ssl.SSLError):
        is_slow = isinstance(error, TimeoutError | ConnectionAbortedError)
        return Failed("slow_handshake", is_told=is_slow)
    reason = error.reason or ""
    if reason in _OURS_REFUSED:
        return Failed("tls_server_refused", _OURS_REFUSED[reason])
    if reason in _NO_VERSION:
        return Failed("tls_version", "it offers no version and cipher that is allowed here")
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return Failed("mtls_required", "a client certificate is required in the handshake")
    return Failed("tls_handshake", reason.replace("_", " ").lower() or "it broke off")


def _of_certificate(error: ssl.SSLCertVerificationError) -> Failed:
    code, says = error.verify_code, error.verify_message
    if code == _EXPIRED:
        return Failed("certificate_expired", says)
    if code == _NOT_YET:
        return Failed("certificate_not_yet_valid", says)
    if code == _PURPOSE:
        return Failed("certificate_wrong_use", says)
    reason = "certificate_untrusted" if code in _UNTRUSTED else "certificate_invalid"
    return Failed(reason, says)
