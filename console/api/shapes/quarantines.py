from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf, Uid, said
from console.api.shapes.base import Body, Reason, Text


class NewQuarantine(Body):
    config_hash = Text(max_length=80)
    agents = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=10_000,
        help_text="the whole fleet when not given",
    )
    reason = Reason(required=True, allow_blank=False)


class LiftBody(Body):
    reason = Reason(required=True, allow_blank=False)


class LiftVersionBody(Body):
    config_hash = Text(max_length=80)
    agent = serializers.UUIDField(required=False, help_text="only this agent")
    fleet_only = serializers.BooleanField(
        default=False, help_text="not for agents that are kept from it by themselves"
    )
    upto = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="the newest quarantine that was seen: what came after it stays",
    )
    reason = Reason(required=True, allow_blank=False)


class Lifted(TypedDict):
    lifted: Annotated[int, said("how many quarantines were lifted")]


class Added(TypedDict):
    added: Annotated[int, said("how many quarantines are new")]


class Quarantine(TypedDict):
    id: int
    agent: Annotated[Uid | None, said("null: the whole fleet")]
    config_hash: HashText
    outcome: Annotated[str, OneOf(words.QUARANTINE_OUTCOMES)]
    cause: str
    reason: str
    by: str
    at: datetime
    lifted_at: datetime | None
    lifted_by: str
    lift_reason: str


class QuarantineList(TypedDict):
    quarantines: list[Quarantine]
    next: str | None
