from __future__ import annotations

from rest_framework import serializers

from console.api.shapes.base import Body, SelectorField, Shape


class PlanPhase(Shape):
    name = serializers.CharField()
    weight = serializers.FloatField(help_text="share of the matched agents, 0 to 1, cumulative")
    duration_s = serializers.FloatField()
    manual = serializers.BooleanField(help_text="does not start until a person approves")
    selector = serializers.CharField(allow_null=True, help_text="null: the rollout's own")


class Plan(Shape):
    name = serializers.CharField()
    description = serializers.CharField()
    built_in = serializers.BooleanField()
    phases = PlanPhase(many=True)
    updated_at = serializers.DateTimeField()
    updated_by = serializers.CharField(allow_null=True)


class PlanList(Shape):
    plans = Plan(many=True)


class PlanDetail(Plan):
    text = serializers.CharField(help_text="the file as written")
    plan = serializers.DictField(help_text="the plan with every default filled in")


class SelectorBody(Body):
    selector = SelectorField()


class Selector(Shape):
    name = serializers.CharField()
    selector = serializers.CharField(help_text="text form")
    yaml = serializers.DictField(help_text="the same in YAML form")
    updated_at = serializers.DateTimeField()
    updated_by = serializers.CharField(allow_null=True)


class SelectorList(Shape):
    selectors = Selector(many=True)
