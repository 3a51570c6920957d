"""How far a gateway has read what changed in the database for its agents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Cursors:
    """The last change of each kind that was read: `agents_desired`, `agents_desiredsettings`."""

    desired: int = 0
    settings: int = 0
