from __future__ import annotations

from rest_framework import serializers

from console.api.shapes import words
from console.api.shapes.base import Hash, Shape


class Approval(Shape):
    """A question to people, bound to config hash, plan and the evidence shown (`digest`)."""

    id = serializers.IntegerField()
    rollout = serializers.IntegerField()
    number = serializers.CharField()
    phase = serializers.CharField()
    state = serializers.ChoiceField(words.APPROVAL_STATES)
    config = serializers.CharField()
    version = serializers.IntegerField()
    config_hash = Hash()
    digest = serializers.CharField()
    evidence = serializers.DictField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    you_can_decide = serializers.BooleanField()
    why_not = serializers.CharField()


class ApprovalList(Shape):
    approvals = Approval(many=True)
    next = serializers.CharField(allow_null=True)
