from __future__ import annotations

from rest_framework import serializers

from console.api.shapes.base import Body, Reason, Shape, Text, Whole


class Retired(Shape):
    id = serializers.UUIDField()
    retired_at = serializers.DateTimeField()


class RetireBody(Body):
    selector = Text(max_length=10_000, help_text='selector text, e.g. "role=batch"')
    not_seen_for = Text(required=False, max_length=40, help_text='only those, e.g. "2d"')
    count = Whole(
        required=False, allow_null=True, min_value=0, help_text="`count` of the dry run you saw"
    )
    dry_run = serializers.BooleanField(default=False)
    reason = Reason()


class RetiredSelection(Shape):
    """What a selection means; `retired` is 0 on a dry run."""

    selector = serializers.CharField()
    dry_run = serializers.BooleanField()
    matched = serializers.IntegerField()
    connected = serializers.IntegerField(help_text="of matched; these are never retired")
    count = serializers.IntegerField(help_text="of matched; those that can be retired")
    samples = serializers.ListField(child=serializers.CharField())
    retired = serializers.IntegerField()


class TookOver(Shape):
    id = serializers.UUIDField()
    replaces = serializers.UUIDField()
    took_over_at = serializers.DateTimeField()
    operator_labels = serializers.DictField(child=serializers.CharField())


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


class RetirementRule(Shape):
    name = serializers.CharField()
    selector = serializers.CharField()
    not_seen_for = serializers.CharField()
    take_over = serializers.BooleanField()
    reason = serializers.CharField()
    updated_by = serializers.CharField()
    updated_at = serializers.DateTimeField()


class RetirementRuleList(Shape):
    retirement_rules = RetirementRule(many=True)


class RefusedAgent(Shape):
    """Attempts from one address for one reason. `claimed_id` is what the client said, proven by
    nothing, made printable and cut."""

    id = serializers.IntegerField()
    address = serializers.CharField()
    reason = serializers.CharField(help_text='e.g. "credential_invalid", "malformed"')
    detail = serializers.CharField()
    claimed_id = serializers.CharField()
    credential = serializers.CharField(help_text="name of a recognised credential, or empty")
    times = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class RefusedAgentList(Shape):
    refused_agents = RefusedAgent(many=True)
    next = serializers.CharField(allow_null=True)
