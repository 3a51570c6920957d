from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from rest_framework import serializers

from console.api.shapes.answer import Uid, said
from console.api.shapes.base import Body, Reason, Text, Whole


class Retired(TypedDict):
    id: Uid
    retired_at: datetime


class RetireBody(Body):
    selector = Text(max_length=10_000, help_text='selector text, e.g. "role=batch"')
    not_seen_for = Text(required=False, max_length=40, help_text='only those, e.g. "2d"')
    count = Whole(
        required=False, allow_null=True, min_value=0, help_text="`count` of the dry run you saw"
    )
    dry_run = serializers.BooleanField(default=False)
    reason = Reason()


class RetiredSelection(TypedDict):
    """What a selection means; `retired` is 0 on a dry run."""

    selector: str
    dry_run: bool
    matched: int
    connected: Annotated[int, said("of matched; these are never retired")]
    count: Annotated[int, said("of matched; those that can be retired")]
    samples: list[str]
    retired: int


class TookOver(TypedDict):
    id: Uid
    replaces: Uid
    took_over_at: datetime
    operator_labels: dict[str, str]


class RetirementRuleBody(Body):
    selector = Text(
        required=False, allow_blank=True, max_length=10_000, help_text="empty: all others"
    )
    not_seen_for = Text(max_length=40, help_text='e.g. "30d", "6h"')
    take_over = serializers.BooleanField(
        default=False, help_text="a host set up anew takes over labels and history by itself"
    )
    reason = Reason(required=True)


class RuleDeleteBody(Body):
    reason = Reason(required=True)


class RetirementRule(TypedDict):
    name: str
    selector: str
    not_seen_for: str
    take_over: bool
    reason: str
    updated_by: str
    updated_at: datetime


class RetirementRuleList(TypedDict):
    retirement_rules: list[RetirementRule]


class RefusedAgent(TypedDict):
    """Attempts from one address for one reason. `claimed_id` is what the client said, proven by
    nothing, made printable and cut."""

    id: int
    address: str
    reason: Annotated[str, said('e.g. "credential_invalid", "malformed"')]
    detail: str
    claimed_id: str
    credential: Annotated[str, said("name of a recognised credential, or empty")]
    times: int
    first_at: datetime
    last_at: datetime


class RefusedAgentList(TypedDict):
    refused_agents: list[RefusedAgent]
    next: str | None
