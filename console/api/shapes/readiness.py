from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Shape


class Finding(Shape):
    """One result of preflight; a block forbids the start."""

    check = serializers.CharField(help_text="e.g. `components`")
    level = serializers.ChoiceField(words.READINESS_LEVELS)
    count = serializers.IntegerField(help_text="agents it is about")
    text = serializers.CharField()
    samples = serializers.ListField(child=serializers.CharField())
    about_agents = serializers.BooleanField(help_text="`?check=` lists them")
    can_override = serializers.BooleanField(
        help_text="a start may `accept` it by its `check`, with a reason"
    )


class FoundAboutTarget(Shape):
    check = serializers.CharField()
    level = serializers.ChoiceField(words.READINESS_LEVELS)


class ReadyTarget(Shape):
    agent = serializers.UUIDField()
    name = serializers.CharField()
    phase = serializers.CharField()
    findings = FoundAboutTarget(many=True, help_text="empty: nothing stands in its way")


class Readiness(Shape):
    findings = Finding(many=True)
    targets = ReadyTarget(many=True)
    next = serializers.CharField(allow_null=True)
