from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf, Uid, Url, said
from console.api.shapes.base import Body, Reason, SelectorField, Text, Whole


@extend_schema_field({"oneOf": [{"const": "previous"}, {"type": "integer", "minimum": 1}]})
class ToVersion(serializers.JSONField):
    """`previous`, or the number of a version."""

    def to_internal_value(self, data: Any) -> Any:
        if data == "previous":
            return "previous"
        if isinstance(data, int) and not isinstance(data, bool) and 0 < data < 2**31:
            return data
        raise serializers.ValidationError('must be "previous" or the number of a version')


class NewRollback(Body):
    selector = SelectorField()
    to_version = ToVersion(required=False)
    config_hash = Text(required=False, allow_blank=True, max_length=80)
    config = Text(required=False, allow_blank=True, help_text="whose version is meant")
    reason = Reason()
    requested_by = Text(required=False, allow_blank=True, max_length=100)
    method = serializers.ChoiceField(words.ROLLBACK_METHODS, required=False)
    dry_run = serializers.BooleanField(default=False, help_text="only count; nothing is done")
    count = Whole(
        required=False, allow_null=True, min_value=0, help_text="`count` of the dry run you saw"
    )
    seen_preview = Text(
        required=False, allow_blank=True, max_length=64, help_text="`digest` of the dry run"
    )


class RollbackMove(TypedDict):
    """So many agents with the same way; `problem` says why they have none."""

    agents: int
    from_hash: HashText
    from_version: Annotated[str, said("config and number, or the start of an unknown hash")]
    to_hash: HashText
    to_version: str
    problem: str


class RollbackPreview(TypedDict):
    """What a rollback by selector would do."""

    selector: str
    dry_run: bool
    matched: int
    count: Annotated[int, said("of matched; those that go back")]
    moves: list[RollbackMove]
    stranded: Annotated[list[RollbackMove], said("no way back; they stay")]
    on_their_way: Annotated[dict[str, int], said("agents that another rollback brings back")]
    environments: list[str]
    digest: str


class RollbackCounts(TypedDict):
    targets: int
    waiting: int
    offered: int
    confirmed: int
    failed: int
    timed_out: int
    no_version: int
    skipped: int


class Straggler(TypedDict):
    agent: Uid
    name: str
    state: Annotated[str, OneOf(words.ROLLBACK_TARGET_STATES)]
    online: bool
    from_hash: HashText
    to_hash: HashText
    error: str


class RollbackRow(TypedDict):
    id: int
    state: Annotated[str, OneOf(words.ROLLBACK_STATES)]
    kind: Annotated[str, OneOf(words.ROLLBACK_KINDS)]
    method: Annotated[str, OneOf(words.ROLLBACK_METHODS)]
    rollout: int | None
    selector: str
    to: str
    reason: str
    requested_by: str
    breach_at: datetime | None
    decided_at: datetime
    offered_at: datetime | None
    finished_at: datetime | None
    status_url: Url


class Rollback(RollbackRow):
    counts: RollbackCounts
    stragglers: Annotated[list[Straggler], said("at most 100")]


class RollbackList(TypedDict):
    rollbacks: list[RollbackRow]
    next: str | None
