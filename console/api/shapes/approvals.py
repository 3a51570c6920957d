from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf


class Approval(TypedDict):
    """A question to people, bound to config hash, plan and the evidence shown (`digest`)."""

    id: int
    rollout: int
    number: str
    phase: str
    state: Annotated[str, OneOf(words.APPROVAL_STATES)]
    config: str
    version: int
    config_hash: HashText
    digest: str
    evidence: dict[str, Any]
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    you_can_decide: bool
    why_not: str


class ApprovalList(TypedDict):
    approvals: list[Approval]
    next: str | None
