"""Who acts, in words: rows keep a name, and a code where nobody with a name acted."""

from __future__ import annotations

from django.utils.translation import pgettext

from accounts.actor import SYSTEM


def who(name: str | None) -> str:
    """Return the name of a person or a command; what no person did, the policy did."""
    return pgettext("who", "policy") if not name or name == SYSTEM.name else name
