from __future__ import annotations

from typing import Any

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Shape


class Event(Shape):
    """One immutable line of a timeline."""

    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    actor_kind = serializers.CharField()
    act = serializers.CharField()
    phase = serializers.CharField(help_text="or empty")
    reason = serializers.CharField()
    inputs = serializers.DictField()

    def get_fields(self) -> dict[str, Any]:
        """Add the fields whose names are words of Python."""
        state = serializers.CharField(help_text="state, or empty")
        return {**super().get_fields(), "from": state, "to": serializers.CharField()}


class EventList(Shape):
    events = Event(many=True)
    next = serializers.CharField(allow_null=True)


class Measurement(Shape):
    """One reading of one gate."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    phase = serializers.CharField(allow_null=True)
    gate = serializers.CharField(help_text='e.g. "criterion:failure_rate"')
    metric = serializers.CharField()
    outcome = serializers.ChoiceField(words.MEASUREMENT_OUTCOMES)
    value = serializers.FloatField(allow_null=True)
    agents = serializers.IntegerField()
    samples = serializers.IntegerField()
    breached = serializers.BooleanField(allow_null=True)
    level = serializers.CharField()
    inputs = serializers.DictField()
    note = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name is a word of serializers."""
        return {**super().get_fields(), "source": serializers.CharField()}


class MeasurementList(Shape):
    measurements = Measurement(many=True)
    next = serializers.CharField(allow_null=True)
