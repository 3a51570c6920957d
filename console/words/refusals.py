"""Why gateways did not let somebody in, in words; a reason without words is shown as it is."""

from __future__ import annotations

from django.utils.translation import gettext as _

from console.words.plain import plain


def why(reason: str) -> str:
    """Return the sentence of a reason as gateways count it."""
    words = {
        "credential_missing": _("It sent no credential."),
        "credential_invalid": _("Its credential is unknown or was revoked."),
        "token_expired": _("Its token has expired."),
        "too_many_failures": _("It failed too often and is kept out for a while."),
        "uid_mismatch": _("The id it claims belongs to another credential."),
        "malformed": _("Its messages cannot be read."),
        "protocol": _("It does not speak WebSocket as it should."),
        "upgrade": _("Its request for a WebSocket is wrong."),
        "too_fast": _("It sends too many messages."),
        "too_large": _("Its message is too large."),
        "message_too_large": _("Its message is too large."),
        "too_slow": _("Its message did not come whole in time."),
        "slow_message": _("Its message did not come whole in time."),
        "encoding": _("It compresses in a way that is not known here."),
        "credential_mismatch": _("Its certificate and its token belong to different agents."),
        "mtls_required": _("It shows no client certificate, and here it must."),
        "certificate_expired": _("Its certificate has expired."),
        "certificate_not_yet_valid": _("Its certificate is not valid yet: a clock may be wrong."),
        "certificate_untrusted": _("No trusted authority vouches for its certificate."),
        "certificate_wrong_use": _("Its certificate is not one for an agent."),
        "certificate_weak": _("The key or signature of its certificate is too weak."),
        "certificate_unreadable": _("Its certificate cannot be read."),
        "certificate_invalid": _("Its certificate is not valid."),
        "certificate_revoked": _("Its certificate was revoked."),
        "certificate_unknown": _("Its certificate is good, but nothing says whose it is."),
        "certificate_header": _("The proxy's header with its certificate cannot be read."),
        "tls_plain_text": _("It speaks no TLS, and this port does."),
        "tls_version": _("It speaks no version of TLS that is allowed here."),
        "tls_server_refused": _("It does not trust the server's certificate."),
        "tls_handshake": _("Its TLS handshake failed."),
        "slow_handshake": _("Its TLS handshake did not end in time."),
        "overloaded": _("There are too many connections from its address."),
    }
    return words.get(reason) or plain(reason.replace("_", " "), limit=40)
