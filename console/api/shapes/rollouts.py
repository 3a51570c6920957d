from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf, Url, said
from console.api.shapes.base import Body, Moment, Reason, SelectorField, Text, Whole
from console.api.shapes.readiness import Finding


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object"}]})
class PlanField(serializers.JSONField):
    """The name of a saved plan, or a whole plan as an object (spec section 3)."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | dict) or not data:
            raise serializers.ValidationError(
                'must be a plan\'s name such as "standard", or a plan'
            )
        return data


class Draft(Body):
    """What, to whom, how: everything a preview needs."""

    config = Text()
    version = Whole(required=False, allow_null=True, help_text="newest when not given")
    plan = PlanField()
    selector = SelectorField()
    spread_label = Text(required=False, allow_blank=True, max_length=100)
    seed = Text(required=False, max_length=32, help_text="of the preview that was seen")
    when_busy = serializers.ChoiceField(
        words.WHEN_BUSY,
        required=False,
        help_text="when another rollout of the config is active (default: refuse)",
    )
    overrides = serializers.DictField(
        required=False, allow_null=True, help_text="keys of the plan to change for this rollout"
    )


class Accept(serializers.DictField):
    """Findings of preflight that are no obstacle to this start: the reason by `check`."""

    def __init__(self) -> None:
        super().__init__(
            child=Text(max_length=500),
            required=False,
            help_text="findings of preflight to start in spite of: the reason by `check`",
        )


class NewRollout(Draft):
    title = Text(required=False, allow_blank=True, max_length=200)
    reason = Reason()
    start = serializers.BooleanField(required=False, help_text="start at once (default: a draft)")
    start_at = Moment(required=False, allow_null=True)
    time_zone = Text(required=False, max_length=64, help_text="of a `start_at` without an offset")
    seen_preview = Text(required=False, help_text="`digest` of the preview that was seen")
    accept = Accept()


class DraftChange(Body):
    """What is to be otherwise in a draft; what is not given stays."""

    config = Text(required=False)
    version = Whole(required=False, help_text="newest of `config` when only that is given")
    plan = PlanField(required=False)
    selector = SelectorField(required=False)
    spread_label = Text(required=False, allow_blank=True, max_length=100)
    when_busy = serializers.ChoiceField(words.WHEN_BUSY, required=False)
    overrides = serializers.DictField(
        required=False, help_text="keys of the plan to change for this rollout"
    )
    title = Text(required=False, allow_blank=True, max_length=200)
    start_at = Moment(required=False, allow_null=True)
    time_zone = Text(required=False, max_length=64, help_text="of a `start_at` without an offset")
    reason = Reason()
    revision = Whole(required=False, allow_null=True, help_text="as If-Match")


class PreviewPhase(TypedDict):
    name: str
    weight: float
    manual: bool
    members: Annotated[int, said("with those of earlier phases")]
    new_members: int
    away: Annotated[int, said("of new_members; they get it when they return")]
    tolerated_failures: Annotated[int, said("so many may fail, or the phase does")]
    rounding: Annotated[str, said("how its share became a number; empty when it is one")]
    split: dict[str, int]
    samples: list[str]
    duration_s: float


class Excluded(TypedDict):
    reason: str
    text: str
    count: int
    samples: list[str]


class Conflict(TypedDict):
    rollout: int
    number: str
    agents: int


class Preview(TypedDict):
    """Who would get it. `seed` and `digest` name exactly this answer."""

    seed: str
    counted_at: datetime
    matched: int
    eligible: int
    digest: str
    phases: list[PreviewPhase]
    rest: Annotated[int, said("agents that get it as a last wave")]
    waits: Annotated[list[Excluded], said("members of the last wave who are away now")]
    excluded: list[Excluded]
    conflicts: list[Conflict]
    coverage: dict[str, Any]
    readiness: list[Finding]


class Act(Body):
    reason = Reason()
    revision = Whole(required=False, allow_null=True, help_text="as If-Match")


class Start(Act):
    seen_preview = Text(required=False, help_text="`digest` of the preview that was seen")
    accept = Accept()


class Decide(Act):
    phase = Text(max_length=100)
    digest = Text(required=False, max_length=64, help_text="of the evidence that was seen")


class RollBack(Act):
    method = serializers.ChoiceField(words.ROLLBACK_METHODS, required=False, allow_null=True)


class Waive(Body):
    phase = Text(max_length=100)
    gate = Text(max_length=120, help_text='e.g. "criterion:failure_rate"')
    reason = Reason()


class Gate(TypedDict):
    """One criterion, threshold or trigger with its latest reading."""

    gate: Annotated[str, said('e.g. "criterion:failure_rate"')]
    kind: Annotated[str, OneOf(words.GATE_KINDS)]
    metric: str
    title: str
    unit: str
    operator: str
    value: Annotated[float | None, said("newest reading, null: none")]
    threshold: Annotated[float | None, said("same as limit")]
    limit: float | None
    warning_limit: float | None
    verdict: Annotated[Annotated[str, OneOf(words.VERDICTS)], said("only pass advances")]
    level: Annotated[str, OneOf(words.GATE_LEVELS)]
    readings: int
    agents: int
    samples: int
    at: Annotated[datetime | None, said("of the newest reading")]
    since: Annotated[datetime | None, said("a trigger's condition is true")]
    no_data_since: datetime | None
    waived_by: str | None
    sentence: str
    firing: NotRequired[Annotated[bool, said("while it is watched")]]
    note: NotRequired[Annotated[str, said("while it is watched")]]
    source: str


class RolloutPhase(TypedDict):
    name: str
    state: Annotated[str, OneOf(words.PHASE_STATES)]
    weight: Annotated[float, said("0 to 1, cumulative")]
    manual: bool
    rest: Annotated[bool, said("the last wave, to all that remain")]
    members: int
    offered: int
    confirmed: Annotated[int, said("gave their own word, whichever it was")]
    applied: int
    confirmed_by_effective_config: Annotated[
        int, said("of those applied: they report no status, and show it in their effective config")
    ]
    failed: Annotated[int, said("in whatever way, also if it is back since")]
    on_new: Annotated[int, said("connected, and run it now by their own word")]
    refused: int
    timed_out: int
    fell_back: Annotated[int, said("ran it, and left it by themselves")]
    lost: Annotated[int, said("gone since the change for longer than lost_after")]
    unhealthy: int
    offline: int
    waiting: int
    rolled_back: int
    duration_s: float | None
    observed_s: float
    started_at: datetime | None
    deployed_at: datetime | None
    finished_at: datetime | None
    advanced_by: str
    gates: list[Gate]


class RolloutCounts(TypedDict):
    targets: int
    on_new: int
    on_previous: int
    failed: Annotated[int, said("in whatever way, also if it is back since")]
    refused: int
    timed_out: int
    fell_back: int
    lost: int
    unhealthy: int
    offline: int
    rolled_back: int


class Accepted(TypedDict):
    check: str
    reason: str
    by: str


class Rollout(TypedDict):
    """One rollout, and the sentence that says where it stands."""

    id: int
    number: str
    title: str
    state: Annotated[str, OneOf(words.ROLLOUT_STATES)]
    revision: Annotated[int, said("also the ETag; send it back as If-Match")]
    why: Annotated[str, said("one sentence: where it stands and what it waits for")]
    next: Annotated[str, said("one sentence: what happens next")]
    why_code: Annotated[str, said("the same for scripts")]
    deadline: Annotated[datetime | None, said("when it goes on by itself")]
    config: str
    version: int
    config_hash: HashText
    previous_version: int | None
    selector: str
    plan: str
    phases: list[RolloutPhase]
    counts: RolloutCounts
    when_busy: Annotated[str, OneOf(words.WHEN_BUSY)]
    accepted: Annotated[list[Accepted], said("findings of preflight it was started in spite of")]
    retry_of: int | None
    superseded_by: int | None
    rollback: Annotated[int | None, said("see rollbacks/{id}")]
    tick_error: Annotated[str, said("why the engine cannot go on, when it cannot")]
    created_at: datetime
    created_by: str | None
    start_at: datetime | None
    started_at: datetime | None
    started_by: str | None
    finished_at: datetime | None
    url: Url


class Waited(Rollout):
    """A rollout, and whether the time was up before it was where a script waited for it."""

    timed_out: bool


class Row(TypedDict):
    """A rollout in a list."""

    id: int
    number: str
    title: str
    state: Annotated[str, OneOf(words.ROLLOUT_STATES)]
    revision: int
    why: str
    config: str
    version: int
    config_hash: HashText
    selector: str
    plan: str
    created_at: datetime
    created_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    url: Url


class RolloutList(TypedDict):
    rollouts: list[Row]
    next: str | None
