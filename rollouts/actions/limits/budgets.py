"""Save and delete blast-radius budgets (spec section 4)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text
from rollouts.actions.limits.freeze_windows import look_at_all
from rollouts.checks import needs_reason
from rollouts.models import Budget


def save_budget(
    *,
    label: str,
    by: Actor,
    reason: str,
    max_agents: int | None = None,
    max_share: float | None = None,
    now: datetime | None = None,
) -> Budget:
    """Let at most so many agents with the same value of `label` change or be unhealthy at once.

    Both limits may be given; the smaller holds. `max_share` is a fraction. Raises Denied, Invalid.
    """
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.budget")), now or timezone.now()
    errors = []
    if not label.strip() or len(label) > 100:
        errors.append(FieldError("label", text("budget.no_label")))
    if max_agents is None and max_share is None:
        errors.append(FieldError("max_agents", text("budget.no_limit")))
    if max_agents is not None and max_agents < 1:
        errors.append(FieldError("max_agents", text("budget.none_may_change")))
    if max_share is not None and not 0 < max_share <= 1:
        errors.append(FieldError("max_share", text("budget.bad_share")))
    if errors:
        raise Invalid(errors[0].says, errors=errors)
    with transaction.atomic():
        budget, created = Budget.objects.update_or_create(
            label=label.strip(),
            defaults={
                "max_agents": max_agents,
                "max_share": max_share,
                "updated_by": by.name,
                "updated_at": now,
            },
        )
        _record(by, "create" if created else "change", budget, reason)
        look_at_all(now)
    return budget


def delete_budget(*, label: str, by: Actor, reason: str, now: datetime | None = None) -> None:
    """Delete a budget with its leases. Raises Denied, Invalid, Missing."""
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.deleting_budget")), now or timezone.now()
    with transaction.atomic():
        budget = Budget.objects.filter(label=label).first()
        if budget is None:
            raise Missing("budget.missing", label=label)
        _record(by, "delete", budget, reason)
        budget.delete()
        look_at_all(now)


def _record(by: Actor, verb: str, budget: Budget, reason: str) -> None:
    record(
        actor=by,
        act=f"budgets.{verb}",
        object_kind="budget",
        object_id=budget.pk,
        object_name=budget.label,
        reason=reason,
        details={"max_agents": budget.max_agents, "max_share": budget.max_share},
    )
