from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Body, Hash, Reason, SelectorField, Shape, Text


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


class RollbackCounts(Shape):
    targets = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Add one count per state."""
        states = {state: serializers.IntegerField() for state in words.ROLLBACK_TARGET_STATES}
        return {**super().get_fields(), **states}


class Straggler(Shape):
    agent = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(words.ROLLBACK_TARGET_STATES)
    online = serializers.BooleanField()
    from_hash = Hash()
    to_hash = Hash()
    error = serializers.CharField()


class RollbackRow(Shape):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(words.ROLLBACK_STATES)
    kind = serializers.ChoiceField(words.ROLLBACK_KINDS)
    method = serializers.ChoiceField(words.ROLLBACK_METHODS)
    rollout = serializers.IntegerField(allow_null=True)
    selector = serializers.CharField()
    to = serializers.CharField()
    reason = serializers.CharField()
    requested_by = serializers.CharField()
    breach_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField()
    offered_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    status_url = serializers.URLField()


class Rollback(RollbackRow):
    counts = RollbackCounts()
    stragglers = Straggler(many=True, help_text="at most 100")


class RollbackList(Shape):
    rollbacks = RollbackRow(many=True)
    next = serializers.CharField(allow_null=True)
