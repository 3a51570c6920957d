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
        "overloaded": _("There are too many connections from its address."),
    }
    return words.get(reason) or plain(reason.replace("_", " "), limit=40)
