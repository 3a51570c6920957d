from __future__ import annotations

from datetime import datetime, time
from typing import Any, TypedDict

from rest_framework import serializers

from console.api.shapes.base import Body, Clock, Moment, Reason, Text, Whole


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


class FreezeWindow(TypedDict):
    name: str
    environment: str
    time_zone: str
    starts_at: datetime | None
    ends_at: datetime | None
    weekdays: list[int]
    from_time: time | None
    to_time: time | None
    reason: str
    updated_by: str
    updated_at: datetime


class FreezeWindowList(TypedDict):
    freeze_windows: list[FreezeWindow]


class BudgetBody(Body):
    max_agents = Whole(required=False, allow_null=True)
    max_share = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="0 to 1"
    )
    reason = Reason(required=True)


class Budget(TypedDict):
    label: str
    max_agents: int | None
    max_share: float | None
    updated_by: str
    updated_at: datetime


class BudgetList(TypedDict):
    budgets: list[Budget]


class GuardBody(Body):
    environment = Text(required=False, allow_blank=True, max_length=100)
    thresholds = serializers.DictField(required=False, help_text="as in a plan file")
    triggers = serializers.ListField(
        child=serializers.DictField(), required=False, max_length=50, help_text="as in a plan file"
    )
    reason = Reason(required=True)


class Guard(TypedDict):
    name: str
    environment: str
    spec: dict[str, Any]
    reason: str
    updated_by: str
    updated_at: datetime


class GuardList(TypedDict):
    guards: list[Guard]
