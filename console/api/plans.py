"""`plans` and `selectors`: reusable parts of rollouts, saved under names."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.selectors.grammar import parse, to_yaml
from console.api import params
from console.api.idempotency import once
from console.api.parsers import RawParser
from console.api.shapes import plans as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView, raw
from console.lib.problems import Invalid, Missing
from console.lib.texts import said
from console.words import plans as plan_words
from rollouts.actions.files.save_plan import save_plan
from rollouts.actions.files.save_selector import save_selector
from rollouts.analysis.dry_run import Today, dry_answers
from rollouts.models import NamedSelector, Plan
from rollouts.plans.parse import parse_plan
from rollouts.plans.plan import Plan as ParsedPlan
from rollouts.selectors import notes_on


class PlanList(ApiView):
    verbs = {"GET": "plans.view"}

    @extend_schema(operation_id="plans_list", responses=shapes.PlanList)
    def get(self, request: Request) -> Answer[shapes.PlanList]:
        """Every plan, built in or saved."""
        plans = Plan.objects.select_related("updated_by").order_by("name")
        return Answer({"plans": [_plan_row(plan) for plan in plans]})


class PlanDetail(ApiView):
    verbs = {"GET": "plans.view", "PUT": "plans.write"}
    parser_classes = [RawParser]

    @extend_schema(operation_id="plans_read", responses=shapes.PlanDetail)
    def get(self, request: Request, name: str) -> Answer[shapes.PlanDetail]:
        """One plan: its text as written, and as it was understood."""
        plan = Plan.objects.select_related("updated_by").filter(name=name).first()
        if plan is None:
            raise Missing("plan.missing", name=name)
        return Answer(_plan_detail(plan))

    @extend_schema(
        operation_id="plans_save",
        parameters=[params.IDEMPOTENCY_KEY],
        request={"application/yaml": OpenApiTypes.BINARY},
        responses=shapes.PlanDetail,
    )
    @once
    def put(self, request: Request, name: str) -> Answer[shapes.PlanDetail]:
        """Save a plan file (raw YAML) under this name. Running rollouts keep their own copy."""
        text = _text(raw(request))
        return Answer(_plan_detail(save_plan(name=name, text=text, by=self.actor)))


class PlanCheck(ApiView):
    verbs = {"POST": "plans.view"}
    parser_classes = [RawParser]

    @extend_schema(
        operation_id="plans_check",
        request={"application/yaml": OpenApiTypes.BINARY},
        responses=shapes.PlanCheck,
    )
    def post(self, request: Request, name: str) -> Answer[shapes.PlanCheck]:
        """Check a plan file (raw YAML; without a body the saved plan), and ask Prometheus what its
        conditions find now. Nothing is saved."""
        body = raw(request)
        plan = parse_plan(_text(body), name=name, file=f"{name}.yaml") if body else _saved(name)
        answers = dry_answers(plan, timezone.now())
        return Answer(
            {
                "name": name,
                "plan": plan.to_dict(),
                "today": [_today_row(one) for one in answers],
                "notes": notes_on(parse(phase.selector) for phase in plan.phases if phase.selector),
            }
        )


class SelectorList(ApiView):
    verbs = {"GET": "plans.view"}

    @extend_schema(operation_id="selectors_list", responses=shapes.SelectorList)
    def get(self, request: Request) -> Answer[shapes.SelectorList]:
        """Every saved selector, in both forms."""
        rows = NamedSelector.objects.select_related("updated_by").order_by("name")
        return Answer({"selectors": [_selector_row(row) for row in rows]})


class SelectorDetail(ApiView):
    verbs = {"PUT": "selectors.write"}

    @extend_schema(
        operation_id="selectors_save",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.SelectorBody,
        responses=shapes.SavedSelector,
    )
    @once
    def put(self, request: Request, name: str) -> Answer[shapes.SavedSelector]:
        """Save a selector under this name, to be used as `@name` in others."""
        found = self.read(shapes.SelectorBody)
        saved = save_selector(name=name, selector=found["selector"], by=self.actor)
        return Answer({**_selector_row(saved), "notes": notes_on([parse(saved.text)])})


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("api.plan_not_utf8") from error


def _saved(name: str) -> ParsedPlan:
    plan = Plan.objects.filter(name=name).first()
    if plan is None:
        raise Missing("plan.missing", name=name)
    return ParsedPlan.from_dict(plan.parsed)


def _today_row(answer: Today) -> shapes.DryAnswer:
    return {
        "name": answer.name,
        "promql": answer.promql,
        "agents": answer.agents,
        "strangers": answer.strangers,
        "breached": answer.breached,
        "whole": answer.is_whole,
        "missing": list(answer.missing),
        "trouble": said(answer.trouble),
        "says": plan_words.today(answer),
    }


def _plan_row(plan: Plan) -> shapes.Plan:
    return {
        "name": plan.name,
        "description": plan.parsed["description"],
        "built_in": plan.built_in,
        "phases": [
            {
                "name": phase["name"],
                "weight": phase["weight"],
                "duration_s": phase["duration_s"],
                "manual": not phase["auto_advance"],
                "selector": phase["selector"],
            }
            for phase in plan.parsed["phases"]
        ],
        "updated_at": plan.updated_at,
        "updated_by": plan.updated_by.get_username() if plan.updated_by else None,
    }


def _plan_detail(plan: Plan) -> shapes.PlanDetail:
    return {**_plan_row(plan), "text": plan.text, "plan": plan.parsed}


def _selector_row(saved: NamedSelector) -> shapes.Selector:
    return {
        "name": saved.name,
        "selector": saved.text,
        "yaml": to_yaml(parse(saved.text)),
        "updated_at": saved.updated_at,
        "updated_by": saved.updated_by.get_username() if saved.updated_by else None,
    }
