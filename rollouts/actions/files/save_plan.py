"""Save a plan under its name. Running rollouts keep the copy they were drafted with."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from console.lib.problems import Invalid, Refused
from console.lib.texts import text as says
from rollouts.actions.files.upload_config import check_name
from rollouts.models import Plan
from rollouts.plans.parse import parse_plan
from rollouts.plans.plan import Plan as ParsedPlan


def checked_plan(*, name: str, text: str, file: str = "") -> ParsedPlan:
    """Return the plan that a file means, as it would be saved. Raises Invalid (with file and line)."""
    check_name(name, "name")
    parsed = parse_plan(text, name=name, file=file or f"{name}.yaml")
    if parsed.name != name:
        raise Invalid.at("name", says("plan.named_otherwise", named=parsed.name, name=name))
    return parsed


def save_plan(*, name: str, text: str, by: Actor, file: str = "") -> Plan:
    """Save the plan file `text` as `name`; saving what is already there changes nothing.

    Raises Denied, Invalid (with file and line), Refused for a built-in plan. Locks the plan row.
    """
    require(by, "plans.write")
    parsed = checked_plan(name=name, text=text, file=file)
    with transaction.atomic():
        known = Plan.objects.select_for_update(no_key=True).filter(name=name).first()
        if known is not None and known.built_in:
            raise Refused("plan.built_in", name=name)
        if known is not None and known.text == text:
            return known
        plan, created = Plan.objects.update_or_create(
            name=name,
            defaults={
                "text": text,
                "parsed": parsed.to_dict(),
                "updated_at": timezone.now(),
                "updated_by": by.user,
            },
        )
        record(
            actor=by,
            act="plans.create" if created else "plans.change",
            object_kind="plan",
            object_id=plan.pk,
            object_name=name,
            details={"phases": [phase.name for phase in parsed.phases]},
        )
    return plan
