from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Shape
from console.api.shapes.configs import Check


class Applied(Shape):
    kind = serializers.ChoiceField(words.DOCUMENT_KINDS)
    name = serializers.CharField()
    change = serializers.ChoiceField(words.CHANGES)
    file = serializers.CharField()
    difference = serializers.CharField(help_text="unified patch, empty when unchanged")
    version = serializers.IntegerField(required=False, help_text="of a config")
    checks = Check(many=True, required=False, help_text="of a config")


class AppliedList(Shape):
    applied = Applied(many=True)
    dry_run = serializers.BooleanField()
