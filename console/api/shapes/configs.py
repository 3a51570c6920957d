from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Hash, Shape


class Check(Shape):
    """One result of one rule; only `error` blocks a rollout."""

    check = serializers.CharField()
    level = serializers.ChoiceField(words.CHECK_LEVELS)
    line = serializers.IntegerField(help_text="counts from 1; 0: no line")
    message = serializers.CharField()
    final = serializers.BooleanField(
        required=False, help_text="no collector can run it: nobody can override it at a start"
    )
    count = serializers.IntegerField(required=False, help_text="how many places it stands for")


class Uploaded(Shape):
    name = serializers.CharField()
    version = serializers.IntegerField()
    config_hash = Hash()
    signature = serializers.CharField(help_text="empty while signing is not set up")
    checks = Check(many=True)
    url = serializers.URLField()


class Version(Uploaded):
    message = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()


class VersionList(Shape):
    name = serializers.CharField()
    versions = Version(many=True)
    next = serializers.CharField(allow_null=True)


class Config(Shape):
    name = serializers.CharField()
    description = serializers.CharField()
    latest = serializers.IntegerField(allow_null=True, help_text="number of the newest version")
    created_at = serializers.DateTimeField()


class ConfigList(Shape):
    configs = Config(many=True)
