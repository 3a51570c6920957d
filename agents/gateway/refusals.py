"""Who was not let in, gathered in memory and written by the sweep: operators see it, and a flood of
attempts costs a row each some seconds, not one each (`agents.refused`)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agents.gateway.writing.rows import Row, at
from agents.opamp.attributes import clean

MAX_WAITING = 500
# So many ids of one address for one reason are told apart between two writes.
MAX_IDS = 20
OTHERS = "(others)"


@dataclass(slots=True)
class _Seen:
    credential: str
    detail: str
    first: float
    last: float
    times: int = 1


class Refusals:
    """Counts refusals by address, reason and claimed id; `take` empties it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], _Seen] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def note(
        self, address: str, reason: str, claimed: str = "", credential: str = "", detail: str = ""
    ) -> None:
        """Count one refusal. Nothing secret may be given here; hostile text is cleaned and cut."""
        now = time.time()
        key = (address[:64], reason[:40], clean(claimed, 64))
        if key not in self._seen and (
            len(self._seen) >= MAX_WAITING or self._ids.get(key[:2], 0) >= MAX_IDS
        ):
            key = (key[0], key[1], OTHERS) if key[:2] in self._ids else (OTHERS, reason[:40], "")
        known = self._seen.get(key)
        if known is None:
            self._seen[key] = _Seen(credential[:100], clean(detail, 200), now, now)
            self._ids[key[:2]] = self._ids.get(key[:2], 0) + 1
            return
        known.times += 1
        known.last, known.credential = now, credential[:100] or known.credential
        known.detail = clean(detail, 200) or known.detail

    def take(self) -> list[Row]:
        """Return the rows of `statements.REFUSED` in the order of their key, and forget them."""
        seen, self._seen = self._seen, {}
        self._ids = {}
        return [
            (*key, one.credential, one.detail, one.times, at(one.first), at(one.last))
            for key, one in sorted(seen.items())
        ]
