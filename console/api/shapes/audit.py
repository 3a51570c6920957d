from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import Address, OneOf


class AuditRow(TypedDict):
    id: int
    at: datetime
    actor_kind: Annotated[str, OneOf(words.ACTOR_KINDS)]
    actor: str
    act: str
    object_kind: str
    object_id: str
    object_name: str
    reason: str
    details: dict[str, Any]
    request_id: str
    address: Address | None


class AuditList(TypedDict):
    events: list[AuditRow]
    next: str | None
