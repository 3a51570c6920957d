"""Save and delete the rules by which agents that are gone are retired."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import RetirementRule
from agents.selectors.compile import to_q
from agents.selectors.grammar import parse, to_text
from agents.selectors.references import names_in
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text

SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=3650)
MAX_REASON = 500


def save_rule(
    *,
    name: str,
    not_seen_for: timedelta,
    by: Actor,
    reason: str,
    selector: str = "",
    take_over: bool = False,
    now: datetime | None = None,
) -> RetirementRule:
    """Create or change the rule of this name; see `RetirementRule` for who follows which.

    Raises Denied, and Invalid with each wrong field (SelectorError points into the selector).
    """
    require(by, "policies.write")
    text = _selector(selector)
    errors = _errors(name, not_seen_for, reason)
    if errors:
        raise Invalid(errors[0].message, errors=errors)
    with transaction.atomic():
        rule, created = RetirementRule.objects.update_or_create(
            name=name.strip(),
            defaults={
                "selector": text,
                "not_seen_for": not_seen_for,
                "take_over": take_over,
                "reason": reason.strip(),
                "updated_by": by.name,
                "updated_at": now or timezone.now(),
            },
        )
        _record(by, "create" if created else "change", rule, reason.strip())
    return rule


def delete_rule(*, name: str, by: Actor, reason: str, now: datetime | None = None) -> None:
    """Delete a rule; agents it retired stay so. Raises Denied, Invalid, Missing."""
    require(by, "policies.write")
    if errors := _errors(name, SHORTEST, reason):
        raise Invalid(errors[0].message, errors=errors)
    with transaction.atomic():
        rule = RetirementRule.objects.filter(name=name.strip()).first()
        if rule is None:
            raise Missing("retirement_rule.missing", name=name[:100])
        _record(by, "delete", rule, reason.strip())
        rule.delete()


def _selector(written: str) -> str:
    """Return the canonical selector, "" for everything. Raises Invalid."""
    selector = parse(written.strip() or "*")
    if names_in(selector):
        message = text("retirement_rule.stands_alone")
        raise Invalid(message, errors=[FieldError("selector", message)])
    to_q(selector)
    return "" if selector.is_everything else to_text(selector)


def _errors(name: str, not_seen_for: timedelta, reason: str) -> list[FieldError]:
    errors = []
    if not name.strip() or len(name.strip()) > 100 or "\x00" in name:
        errors.append(FieldError("name", text("retirement_rule.bad_name")))
    if not SHORTEST <= not_seen_for <= LONGEST:
        errors.append(FieldError("not_seen_for", text("retirement_rule.bad_time")))
    if not reason.strip() or len(reason) > MAX_REASON or "\x00" in reason:
        errors.append(FieldError("reason", text("reason.wanted", most=MAX_REASON)))
    return errors


def _record(by: Actor, verb: str, rule: RetirementRule, reason: str) -> None:
    audit.record(
        actor=by,
        act=f"retirement_rules.{verb}",
        object_kind="retirement_rule",
        object_id=rule.pk,
        object_name=rule.name,
        reason=reason,
        details={
            "selector": rule.selector,
            "not_seen_for_s": rule.not_seen_for.total_seconds(),
            "take_over": rule.take_over,
        },
    )
