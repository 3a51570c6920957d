from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Body, Hash, Reason, Shape, Text


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


class Added(Shape):
    added = serializers.IntegerField(help_text="how many quarantines are new")


class Quarantine(Shape):
    id = serializers.IntegerField()
    agent = serializers.UUIDField(allow_null=True, help_text="null: the whole fleet")
    config_hash = Hash()
    outcome = serializers.ChoiceField(words.QUARANTINE_OUTCOMES)
    cause = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = serializers.CharField()
    lift_reason = serializers.CharField()


class QuarantineList(Shape):
    quarantines = Quarantine(many=True)
    next = serializers.CharField(allow_null=True)
