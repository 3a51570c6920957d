from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from console.api.shapes.answer import said
from console.api.shapes.base import Body, Reason, Text


class SeenBody(Body):
    kind = Text(max_length=24)
    subject = Text(max_length=80)
    facts = Text(
        max_length=200,
        required=False,
        help_text="as the list gave it: 409 when something else is so by now",
    )
    note = Reason(required=False)


class Need(TypedDict):
    kind: Annotated[str, said("what it is, e.g. rolled_back, paused, at_the_door")]
    subject: Annotated[str, said("which one of its kind")]
    facts: Annotated[str, said("what is so now; it is news again when this changes")]
    says: str
    more: Annotated[str, said("why, or what follows")]
    about_kind: Annotated[
        str, said("rollout, rollback, approval, agent, quarantine, refused, offline, late")
    ]
    about: Annotated[str, said("id or uid of that object; empty when it is about many")]
    since: datetime | None
    acknowledged_by: Annotated[str, said("empty while nobody has acknowledged it")]
    acknowledged_at: datetime | None


class NeedList(TypedDict):
    needs: list[Need]
