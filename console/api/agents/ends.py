"""How agents end: retiring one or a selection, taking over, the rules, and who was not let in."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.actions.retire import retirable, retire, retire_matching
from agents.actions.retirement_rules import delete_rule, save_rule
from agents.actions.take_over import take_over
from agents.models import Agent, RefusedAgent, RetirementRule
from agents.selectors.grammar import parse, to_text
from console.api import paging, params
from console.api.agents.views import agent_of
from console.api.idempotency import once
from console.api.shapes import ends as shapes
from console.api.shapes.agents import ReasonBody
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.durations import BadValue, format_duration, parse_duration
from console.lib.problems import Invalid, Missing
from console.lib.texts import text as say
from rollouts.selectors import selector_q


class Retire(ApiView):
    verbs = {"POST": "agents.retire"}

    @extend_schema(
        operation_id="agents_retire",
        parameters=[params.IDEMPOTENCY_KEY],
        request=ReasonBody,
        responses=shapes.Retired,
    )
    @once
    def post(self, request: Request, uid: str) -> Answer[shapes.Retired]:
        """Take an agent that is gone out of lists, counts and selections. Its history stays, and it is
        back by itself when it connects. 409 when it is connected or retired already."""
        agent = agent_of(self, uid).get()
        reason = self.read(ReasonBody).get("reason", "")
        done = retire(agent_id=agent.pk, by=self.actor, reason=reason)
        assert done.retired_at is not None
        return Answer({"id": str(done.instance_uid), "retired_at": done.retired_at})


class RetireSelection(ApiView):
    verbs = {"POST": "agents.retire"}

    @extend_schema(
        operation_id="agents_retire_selection",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.RetireBody,
        responses=shapes.RetiredSelection,
    )
    @once
    def post(self, request: Request) -> Answer[shapes.RetiredSelection]:
        """Retire every agent that matches and is not connected. With `dry_run` only count them; else
        `count` is the number that was seen, and 409 says that it is another now."""
        body = self.read(shapes.RetireBody)
        selector = parse(body["selector"])
        condition, span = selector_q(selector), _span(body.get("not_seen_for"))
        selection = Agent.objects.visible_to(self.actor).matching(condition)
        found = retirable(selection, span, timezone.now())
        retired = 0
        if not body["dry_run"]:
            if body.get("count") is None:
                says = say("api.give_count")
                raise Invalid.at("count", says)
            retired = retire_matching(
                condition=condition,
                selector=to_text(selector),
                seen_count=body["count"],
                by=self.actor,
                reason=body.get("reason", ""),
                not_seen_for=span,
            )
        return Answer(
            {
                "selector": to_text(selector),
                "dry_run": body["dry_run"],
                "matched": found.matched,
                "connected": found.connected,
                "count": found.agents,
                "samples": list(found.samples),
                "retired": retired,
            }
        )


class TakeOver(ApiView):
    verbs = {"POST": "agents.retire"}

    @extend_schema(
        operation_id="agents_take_over",
        parameters=[params.IDEMPOTENCY_KEY],
        request=ReasonBody,
        responses=shapes.TookOver,
    )
    @once
    def post(self, request: Request, uid: str) -> Answer[shapes.TookOver]:
        """Let the agent go on as the one it `replaces`: labels of operators, quarantines set by a
        person and history. The other one is retired. 409 when there is nobody to take over from."""
        agent = agent_of(self, uid).get()
        reason = self.read(ReasonBody).get("reason", "")
        done = take_over(agent_id=agent.pk, by=self.actor, reason=reason)
        assert done.replaces is not None
        assert done.took_over_at is not None
        return Answer(
            {
                "id": str(done.instance_uid),
                "replaces": str(done.replaces.instance_uid),
                "took_over_at": done.took_over_at,
                "operator_labels": done.operator_labels,
            }
        )


class RetirementRules(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(operation_id="retirement_rules_list", responses=shapes.RetirementRuleList)
    def get(self, request: Request) -> Answer[shapes.RetirementRuleList]:
        """The rules by which agents that are gone are retired."""
        rows = RetirementRule.objects.order_by("name")
        return Answer({"retirement_rules": [_rule(row) for row in rows]})


class RetirementRuleDetail(ApiView):
    verbs = {"PUT": "policies.write", "DELETE": "policies.write"}

    @extend_schema(
        operation_id="retirement_rules_save",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.RetirementRuleBody,
        responses=shapes.RetirementRule,
    )
    @once
    def put(self, request: Request, name: str) -> Answer[shapes.RetirementRule]:
        """Create or change a rule. An agent follows the rule that it matches, of several the shortest;
        the rule without a selector is for all others."""
        body = self.read(shapes.RetirementRuleBody)
        span = _span(body["not_seen_for"])
        assert span is not None
        rule = save_rule(
            name=_plain(name),
            selector=body.get("selector", ""),
            not_seen_for=span,
            take_over=body["take_over"],
            by=self.actor,
            reason=body["reason"],
        )
        return Answer(_rule(rule))

    @extend_schema(
        operation_id="retirement_rules_delete",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.RuleDeleteBody,
        responses={204: None},
    )
    @once
    def delete(self, request: Request, name: str) -> Response:
        """Delete a rule. Agents that it retired stay retired."""
        body = self.read(shapes.RuleDeleteBody)
        delete_rule(name=_plain(name), by=self.actor, reason=body["reason"])
        return Response(status=204)


class RefusedAgents(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="refused_agents_list",
        parameters=params.PAGE,
        responses=shapes.RefusedAgentList,
    )
    def get(self, request: Request) -> Answer[shapes.RefusedAgentList]:
        """Who was not let in by the gateways: from where, why, since when, how often."""
        page, following = paging.newest(RefusedAgent.objects.all(), request)
        return Answer({"refused_agents": [_refused(row) for row in page], "next": following})


def _span(text: str | None) -> timedelta | None:
    if not text:
        return None
    try:
        return parse_duration(text)
    except BadValue as bad:
        raise Invalid.at("not_seen_for", bad.says) from bad


def _plain(name: str) -> str:
    if "\x00" in name:
        raise Missing("api.no_such_name")
    return name


def _rule(row: RetirementRule) -> shapes.RetirementRule:
    return {
        "name": row.name,
        "selector": row.selector,
        "not_seen_for": format_duration(row.not_seen_for),
        "take_over": row.take_over,
        "reason": row.reason,
        "updated_by": row.updated_by,
        "updated_at": row.updated_at,
    }


def _refused(row: RefusedAgent) -> shapes.RefusedAgent:
    return {
        "id": row.pk,
        "address": row.address,
        "reason": row.reason,
        "detail": row.detail,
        "claimed_id": row.claimed_id,
        "credential": row.credential,
        "times": row.times,
        "first_at": row.first_at,
        "last_at": row.last_at,
    }
