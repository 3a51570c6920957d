"""Agent-given text made safe to look at (security.md R41): control and bidirectional characters
become visible escapes and at most 1 KiB is shown. HTML escaping is the template's own work.
"""

from __future__ import annotations

import unicodedata

LIMIT = 1024
NO_VALUE = "\N{EN DASH}"  # stands where a value would be
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: object, *, limit: int = LIMIT, keep_lines: bool = False) -> str:
    """Return `text` with every invisible character escaped and cut at `limit` characters."""
    value = str(text)
    cut = value[:limit]
    kept = "\n\t" if keep_lines else ""
    shown = "".join(c if c in kept or not _is_hidden(c) else _escape(c) for c in cut)
    return shown + ("…" if len(value) > limit else "")


def first_line(text: object) -> str:
    """Return the line that says most, for lists.

    That is the first one; but collectors lead with a chain of "... error(s):" whose last line
    names what is wrong.
    """
    said = [line.strip() for line in str(text).splitlines() if line.strip()]
    if not said:
        return ""
    return plain(said[-1] if said[0].endswith(":") else said[0], limit=200)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode() if ord(char) > 31 else repr(char)[1:-1]
