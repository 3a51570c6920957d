"""Config hashes as clients write them: `sha256-<hex>` or `<hex>`, any case."""

from __future__ import annotations

import re

from console.lib.problems import FieldError, Invalid
from console.lib.texts import text as say

_HASH = re.compile(r"(?:sha256[-:])?([0-9a-f]{64})")


def hash_of(text: str, field: str = "config_hash") -> str:
    """Return the lower-case hex. Raises Invalid."""
    match = _HASH.fullmatch(text.strip().lower())
    if match is None:
        raise Invalid(
            "api.no_hash",
            read=text[:80],
            errors=[FieldError(field, say("api.must_be_hash"))],
        )
    return match[1]
