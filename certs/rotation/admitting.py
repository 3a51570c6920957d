"""Whether a request is answered by itself or waits for a person (security.md 3.2, R16). Pure.

Who proved with a credential of its own that it is this agent gets a certificate. A shared token or
none at all proves less: the first certificate of an agent may be given for it where the settings say
so, but never a second one while the first is good, or whoever shares the token could take the agent
over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from console.lib.texts import Text, text

_PERSONAL = ("certificate:", "token:")


class FirstCertificates(StrEnum):
    """How requests by shared credentials are answered: by itself, or by a person each time."""

    AUTO = "auto"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: `principal` as sessions name it; `has_certificate`: a certificate of this agent was
    proved in use and is still good."""

    principal: str
    has_certificate: bool


def needs_person(asking: Asking, approval: FirstCertificates) -> Text | None:
    """Return why a person must approve, None when nobody need."""
    if asking.principal.startswith(_PERSONAL):
        return None
    if asking.has_certificate:
        return text("cert.approve_again", credential=asking.principal or "-")
    if approval is FirstCertificates.MANUAL:
        return text("cert.approve_first", credential=asking.principal or "-")
    return None
