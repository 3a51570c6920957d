from __future__ import annotations

from typing import Any

from rest_framework import serializers

from console.api.shapes.base import Body, Clock, Moment, Reason, Shape, Text, Whole


class DeleteBody(Body):
    reason = Reason(required=True)


class FreezeWindowBody(Body):
    environment = Text(
        required=False, allow_blank=True, max_length=100, help_text="value of env; empty: all"
    )
    time_zone = Text(
        required=False,
        max_length=64,
        help_text="of days, times of day and ends without an offset, e.g. Europe/Berlin",
    )
    starts_at = Moment(required=False, allow_null=True)
    ends_at = Moment(required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=Whole(min_value=0, max_value=6), required=False, help_text="0 is Monday"
    )
    from_time = Clock(required=False, allow_null=True)
    to_time = Clock(required=False, allow_null=True)
    reason = Reason(required=True)


class FreezeWindow(Shape):
    name = serializers.CharField()
    environment = serializers.CharField()
    time_zone = serializers.CharField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    weekdays = serializers.ListField(child=serializers.IntegerField())
    from_time = serializers.TimeField(allow_null=True)
    to_time = serializers.TimeField(allow_null=True)
    reason = serializers.CharField()
    updated_by = serializers.CharField()
    updated_at = serializers.DateTimeField()


class FreezeWindowList(Shape):
    freeze_windows = FreezeWindow(many=True)


class BudgetBody(Body):
    max_agents = Whole(required=False, allow_null=True)
    max_share = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="0 to 1"
    )
    reason = Reason(required=True)


class Budget(Shape):
    max_agents = serializers.IntegerField(allow_null=True)
    max_share = serializers.FloatField(allow_null=True)
    updated_by = serializers.CharField()
    updated_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name is a word of serializers."""
        return {"label": serializers.CharField(), **super().get_fields()}


class BudgetList(Shape):
    budgets = Budget(many=True)


class GuardBody(Body):
    environment = Text(required=False, allow_blank=True, max_length=100)
    thresholds = serializers.DictField(required=False, help_text="as in a plan file")
    triggers = serializers.ListField(
        child=serializers.DictField(), required=False, max_length=50, help_text="as in a plan file"
    )
    reason = Reason(required=True)


class Guard(Shape):
    name = serializers.CharField()
    environment = serializers.CharField()
    spec = serializers.DictField()
    reason = serializers.CharField()
    updated_by = serializers.CharField()
    updated_at = serializers.DateTimeField()


class GuardList(Shape):
    guards = Guard(many=True)
