"""Retires by rule what was not seen for long. Bounded per run; twice is harmless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from agents.actions.retire import gone, retire_now
from agents.models import Agent, RetirementRule
from agents.models.querysets import AgentQuerySet
from agents.selectors.compile import to_q
from agents.selectors.grammar import parse
from console.lib.batches import in_batches
from console.lib.texts import text

BATCH = 200


def retire_by_rules(now: datetime) -> int:
    """Retire agents whose rule says so, at most 2,000 a rule and run. Returns how many."""
    rules = in_turn()
    return sum(_retire(rule, rules, now) for rule in rules)


def in_turn() -> list[RetirementRule]:
    """Return the rules in the order in which they are asked: with a selector before without, the
    shorter time first. An agent follows the first that it matches."""
    rules = RetirementRule.objects.all()
    return sorted(rules, key=lambda rule: (not rule.selector, rule.not_seen_for, rule.name))


def under(rule: RetirementRule, rules: Sequence[RetirementRule]) -> AgentQuerySet:
    """Return the living agents that follow a rule of `in_turn`."""
    found: AgentQuerySet = Agent.objects.matching(to_q(parse(rule.selector or "*")))
    for earlier in rules[: rules.index(rule)]:
        others = Agent.objects.matching(to_q(parse(earlier.selector or "*")))
        found = found.exclude(pk__in=others.values("pk"))
    return found


def _retire(rule: RetirementRule, rules: Sequence[RetirementRule], now: datetime) -> int:
    before = now - rule.not_seen_for
    by = text("retire.by_rule", name=rule.name)
    why = text("retire.not_seen", seconds=rule.not_seen_for.total_seconds())

    def act(size: int) -> int:
        due = gone(under(rule, rules), before).order_by("pk").values_list("pk", flat=True)
        with transaction.atomic():
            retired = retire_now(list(due[:size]), by=by, why=why, now=now, before=before)
            if retired:
                audit.record(
                    actor=SYSTEM,
                    act="agents.retire",
                    object_kind="retirement_rule",
                    object_id=rule.pk,
                    object_name=rule.name,
                    reason=why,
                    details={"agents": len(retired), "samples": retired[:100]},
                    at=now,
                )
        return len(retired)

    return in_batches(act, BATCH)
