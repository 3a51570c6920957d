"""Live fragments: the regions of a page as they are now, for everybody who looks at it.

Viewer-neutral (ui.md section 6): no permissions, times in UTC for the browser to write. Each root
has the id it replaces and `data-seq`. The templates are the pages' own; each room of pages makes
its own fragments. What one reading says goes out as one message, which the browser applies whole or
not at all, so that no two regions of a page contradict each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.template.loader import render_to_string

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Update:
    """What one reading of a page says: markup to swap by id. `seq` orders the readings of a page
    (milliseconds); None: each root has its own, as rows of a list have."""

    html: str
    seq: int | None = None

    def message(self, *signals: str) -> str:
        """Return it as one message with the signals that belong to it. What is too large to be sent
        to everybody becomes a signal to read the page again."""
        if len(self.html.encode()) > MAX_BYTES:
            return framed("", None, [*signals, signal("refresh")])
        return framed(self.html, self.seq, signals)

    def answer(self) -> HttpResponse:
        """Return it for one page that asks for it after a gap, whatever its size."""
        return HttpResponse(framed(self.html, self.seq, ()), content_type="application/json")


def signal(event: str, **fields: object) -> str:
    """Return a signal: JSON that `live.js` turns into a DOM event."""
    return json.dumps({"event": event, **fields}, separators=(",", ":"))


def framed(html: str, seq: int | None, signals: Iterable[str]) -> str:
    """Return one message, applied in one go: the markup, then the signals."""
    fields = {"html": html, "seq": seq, "signals": [json.loads(one) for one in signals]}
    return signal("frame", **fields)


def seq_of(now: datetime) -> int:
    """Return the place in line of a reading made at `now`."""
    return int(now.timestamp() * 1000)


def render(template: str, context: dict[str, object]) -> str:
    """Return one fragment without the white space around it."""
    return render_to_string(template, context).strip()


def joined(parts: Iterable[str]) -> str:
    """Return the fragments that say something, one after the other."""
    return "\n".join(part for part in parts if part)
