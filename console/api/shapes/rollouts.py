from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Body, Hash, Moment, Reason, SelectorField, Shape, Text, Whole
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


class PreviewPhase(Shape):
    name = serializers.CharField()
    weight = serializers.FloatField()
    manual = serializers.BooleanField()
    members = serializers.IntegerField(help_text="with those of earlier phases")
    new_members = serializers.IntegerField()
    away = serializers.IntegerField(help_text="of new_members; they get it when they return")
    tolerated_failures = serializers.IntegerField(help_text="so many may fail, or the phase does")
    rounding = serializers.CharField(
        help_text="how its share became a number; empty when it is one"
    )
    split = serializers.DictField(child=serializers.IntegerField())
    samples = serializers.ListField(child=serializers.CharField())
    duration_s = serializers.FloatField()


class Excluded(Shape):
    reason = serializers.CharField()
    text = serializers.CharField()
    count = serializers.IntegerField()
    samples = serializers.ListField(child=serializers.CharField())


class Conflict(Shape):
    rollout = serializers.IntegerField()
    number = serializers.CharField()
    agents = serializers.IntegerField()


class Preview(Shape):
    """Who would get it. `seed` and `digest` name exactly this answer."""

    seed = serializers.CharField()
    counted_at = serializers.DateTimeField()
    matched = serializers.IntegerField()
    eligible = serializers.IntegerField()
    digest = serializers.CharField()
    phases = PreviewPhase(many=True)
    rest = serializers.IntegerField(help_text="agents that get it as a last wave")
    waits = Excluded(many=True, help_text="members of the last wave who are away now")
    excluded = Excluded(many=True)
    conflicts = Conflict(many=True)
    coverage = serializers.DictField()
    readiness = Finding(many=True)


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


class Gate(Shape):
    """One criterion, threshold or trigger with its latest reading."""

    gate = serializers.CharField(help_text='e.g. "criterion:failure_rate"')
    kind = serializers.ChoiceField(words.GATE_KINDS)
    metric = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField()
    operator = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="newest reading, null: none")
    threshold = serializers.FloatField(allow_null=True, help_text="same as limit")
    limit = serializers.FloatField(allow_null=True)
    warning_limit = serializers.FloatField(allow_null=True)
    verdict = serializers.ChoiceField(words.VERDICTS, help_text="only pass advances")
    level = serializers.ChoiceField(words.GATE_LEVELS)
    readings = serializers.IntegerField()
    agents = serializers.IntegerField()
    samples = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True, help_text="of the newest reading")
    since = serializers.DateTimeField(allow_null=True, help_text="a trigger's condition is true")
    no_data_since = serializers.DateTimeField(allow_null=True)
    waived_by = serializers.CharField(allow_null=True)
    sentence = serializers.CharField()
    firing = serializers.BooleanField(required=False, help_text="while it is watched")
    note = serializers.CharField(required=False, help_text="while it is watched")

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name is a word of serializers."""
        return {**super().get_fields(), "source": serializers.CharField()}


class RolloutPhase(Shape):
    name = serializers.CharField()
    state = serializers.ChoiceField(words.PHASE_STATES)
    weight = serializers.FloatField(help_text="0 to 1, cumulative")
    manual = serializers.BooleanField()
    rest = serializers.BooleanField(help_text="the last wave, to all that remain")
    members = serializers.IntegerField()
    offered = serializers.IntegerField()
    confirmed = serializers.IntegerField(help_text="gave their own word, whichever it was")
    applied = serializers.IntegerField()
    confirmed_by_effective_config = serializers.IntegerField(
        help_text="of those applied: they report no status, and show it in their effective config"
    )
    failed = serializers.IntegerField(help_text="in whatever way; the ways stand beside it")
    on_new = serializers.IntegerField(help_text="connected, and run it now by their own word")
    refused = serializers.IntegerField()
    timed_out = serializers.IntegerField()
    fell_back = serializers.IntegerField(help_text="ran it, and left it by themselves")
    lost = serializers.IntegerField(help_text="gone since the change for longer than lost_after")
    unhealthy = serializers.IntegerField()
    offline = serializers.IntegerField()
    waiting = serializers.IntegerField()
    rolled_back = serializers.IntegerField()
    duration_s = serializers.FloatField(allow_null=True)
    observed_s = serializers.FloatField()
    started_at = serializers.DateTimeField(allow_null=True)
    deployed_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    advanced_by = serializers.CharField()
    gates = Gate(many=True)


class RolloutCounts(Shape):
    targets = serializers.IntegerField()
    on_new = serializers.IntegerField()
    on_previous = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="in whatever way; the ways stand beside it")
    refused = serializers.IntegerField()
    timed_out = serializers.IntegerField()
    fell_back = serializers.IntegerField()
    lost = serializers.IntegerField()
    unhealthy = serializers.IntegerField()
    offline = serializers.IntegerField()
    rolled_back = serializers.IntegerField()


class Accepted(Shape):
    check = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField()


class Rollout(Shape):
    """One rollout, and the sentence that says where it stands."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(words.ROLLOUT_STATES)
    revision = serializers.IntegerField(help_text="also the ETag; send it back as If-Match")
    why = serializers.CharField(help_text="one sentence: where it stands and what it waits for")
    next = serializers.CharField(help_text="one sentence: what happens next")
    why_code = serializers.CharField(help_text="the same for scripts")
    deadline = serializers.DateTimeField(allow_null=True, help_text="when it goes on by itself")
    config = serializers.CharField()
    version = serializers.IntegerField()
    config_hash = Hash()
    previous_version = serializers.IntegerField(allow_null=True)
    selector = serializers.CharField()
    plan = serializers.CharField()
    phases = RolloutPhase(many=True)
    counts = RolloutCounts()
    when_busy = serializers.ChoiceField(words.WHEN_BUSY)
    accepted = Accepted(many=True, help_text="findings of preflight it was started in spite of")
    retry_of = serializers.IntegerField(allow_null=True)
    superseded_by = serializers.IntegerField(allow_null=True)
    rollback = serializers.IntegerField(allow_null=True, help_text="see rollbacks/{id}")
    tick_error = serializers.CharField(help_text="why the engine cannot go on, when it cannot")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)
    start_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    started_by = serializers.CharField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField()


class Waited(Rollout):
    timed_out = serializers.BooleanField()


class Row(Shape):
    """A rollout in a list."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(words.ROLLOUT_STATES)
    revision = serializers.IntegerField()
    why = serializers.CharField()
    config = serializers.CharField()
    version = serializers.IntegerField()
    config_hash = Hash()
    selector = serializers.CharField()
    plan = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField()


class RolloutList(Shape):
    rollouts = Row(many=True)
    next = serializers.CharField(allow_null=True)
