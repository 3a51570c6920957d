from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Shape


class AuditRow(Shape):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor_kind = serializers.ChoiceField(words.ACTOR_KINDS)
    actor = serializers.CharField()
    act = serializers.CharField()
    object_kind = serializers.CharField()
    object_id = serializers.CharField()
    object_name = serializers.CharField()
    reason = serializers.CharField()
    details = serializers.DictField()
    request_id = serializers.CharField()
    address = serializers.IPAddressField(allow_null=True)


class AuditList(Shape):
    events = AuditRow(many=True)
    next = serializers.CharField(allow_null=True)
