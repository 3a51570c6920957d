"""The shape of an error text: what stays the same when another agent says it. Pure.

Numbers, ids, times, addresses and the names of hosts differ from agent to agent while the fault is the
same; names of components, keys and values stay, because another one of those is another fault. Anybody
may have written the text, so only its beginning is read and every pattern takes time in proportion.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_CHARS = 2_000

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\x1b\[[0-9;]{0,12}[A-Za-z]"), ""),
    (re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+"), " "),
    (
        re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"),
        "<time>",
    ),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    # the host of an address, of a look-up, of a socket
    (re.compile(r"(?<=://)(?:[^\s/@'\"]{1,200}@)?[\w.\-\[\]:%]{1,255}"), "<host>"),
    (re.compile(r"\[[0-9a-fA-F:.]{2,60}(?:%\w{1,20})?\](?::\d{1,5})?"), "<host>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?:/\d{1,3})?\b"), "<host>"),
    (re.compile(r"\b(lookup|host|hostname|node|pod) [\w-]{1,63}(?:\.[\w-]{1,63}){0,9}\.?"), r"\1 <host>"),
    (re.compile(r"\b[A-Za-z][\w-]{0,62}(?:\.[\w-]{1,63}){0,9}:\d{2,5}\b"), "<host>"),
    (re.compile(r"\b(?:0[xX])?(?=[0-9a-fA-F]{0,63}\d)(?=[\d]{0,63}[a-fA-F])[0-9a-fA-F]{8,64}\b"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
    (re.compile(r"<n>(?:[.:]<n>)+"), "<n>"),
    (re.compile(r"\s+"), " "),
)  # fmt: skip


@lru_cache(maxsize=4_096)
def shape_of(text: str) -> str:
    """Return the text with what is an agent's own replaced: `<n>`, `<id>`, `<time>`, `<host>`."""
    found = text[:MAX_CHARS]
    for pattern, put in _STEPS:
        found = pattern.sub(put, found)
    return found.strip()
