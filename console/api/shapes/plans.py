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


class DryAnswer(Shape):
    name = serializers.CharField(help_text="the trigger, or the metric of the query")
    promql = serializers.CharField()
    agents = serializers.IntegerField(help_text="agents of ours that have the metrics it names")
    strangers = serializers.IntegerField(help_text="series that fit no agent of ours: ignored")
    breached = serializers.IntegerField(
        allow_null=True, help_text="agents that it is true for; null: a query has no yes or no"
    )
    whole = serializers.BooleanField(help_text="names no agent, speaks for the rollout as a whole")
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="metrics that are there under no known name"
    )
    trouble = serializers.CharField(help_text='why there is no answer, "" when there is one')
    says = serializers.CharField(help_text="all of it in one sentence")


class PlanCheck(Shape):
    name = serializers.CharField()
    plan = serializers.DictField(help_text="the plan with every default filled in")
    today = DryAnswer(many=True, help_text="what its PromQL finds now")


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
