"""Live fragments: the leaves of a page as they are now, for everybody who looks at it.

Viewer-neutral (ui.md section 6): no buttons, no permissions, times in UTC for the browser to
write. Each root has the id it replaces and `data-seq`. The templates are the pages' own; each room
of pages makes its own fragments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Update:
    """What one topic sends: markup to swap by id, and the states of the grid's cells in order."""

    html: str = ""
    cells: list[str] = field(default_factory=list)


def render(template: str, context: dict[str, object]) -> str:
    """Return one fragment without the white space around it."""
    return render_to_string(template, context).strip()


def joined(parts: Iterable[str]) -> str:
    """Return the fragments that say something, one after the other."""
    return "\n".join(part for part in parts if part)
