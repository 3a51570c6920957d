"""Whose a certificate is by the rule of its authority, where the registry does not say (R22). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from console.lib.certificates import CertificateFacts

# Longer names are nobody's: the rule is an operator's, the text is not.
MAX_NAME = 200
SPIFFE_RULE = r"spiffe://[^/]+/agent/(?P<uid>[0-9a-fA-F-]{32,36})"
# For a bundle that comes as a file: agents by their uid, anything else by the name that it has.
FILE_RULE = SPIFFE_RULE + r"|(?P<name>.+)"


@dataclass(frozen=True, slots=True)
class RuledIdentity:
    """Who a certificate stands for: the agent of a uid (16 bytes), or all that share a name."""

    uid: bytes = b""
    name: str = ""


def identity_by_rule(rule: re.Pattern[str], facts: CertificateFacts) -> RuledIdentity | None:
    """Return whom the first URI that the rule matches whole stands for, else the common name; None
    for nobody."""
    for text in (*facts.uris, facts.common_name):
        match = rule.fullmatch(text) if 0 < len(text) <= MAX_NAME else None
        found = _identity(match.groupdict()) if match is not None else None
        if found is not None:
            return found
    return None


def _identity(groups: dict[str, str | None]) -> RuledIdentity | None:
    if groups.get("uid"):
        try:
            return RuledIdentity(uid=UUID(groups["uid"]).bytes)
        except ValueError:
            return None
    name = groups.get("name")
    return RuledIdentity(name=name) if name else None
