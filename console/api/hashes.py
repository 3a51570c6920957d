"""Config hashes as clients write them: `sha256-<hex>` or `<hex>`, any case."""

from __future__ import annotations

import re

from console.lib.problems import FieldError, Invalid

_HASH = re.compile(r"(?:sha256[-:])?([0-9a-f]{64})")


def hash_of(text: str, field: str = "config_hash") -> str:
    """Return the lower-case hex. Raises Invalid."""
    match = _HASH.fullmatch(text.strip().lower())
    if match is None:
        raise Invalid(
            f'"{text[:80]}" is not a config hash; write 64 hex digits, or sha256- before them.',
            errors=[FieldError(field, "must be 64 hex digits, sha256- may stand before them")],
        )
    return match[1]
