"""Save and delete guards of environments, which apply to every rollout that touches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from console.lib.problems import Invalid, Missing
from console.lib.texts import text
from rollouts.actions.limits.freeze_windows import look_at_all
from rollouts.checks import needs_reason
from rollouts.models import EnvironmentGuard
from rollouts.plans.parse import plan_from_data


def save_environment_guard(
    *,
    name: str,
    by: Actor,
    reason: str,
    environment: str = "",
    thresholds: Mapping[str, Any] | None = None,
    triggers: list[Mapping[str, Any]] | None = None,
    now: datetime | None = None,
) -> EnvironmentGuard:
    """Save a guard; `thresholds` and `triggers` are written as in a plan file.

    Raises Denied, Invalid with the path of what is wrong.
    """
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.guard")), now or timezone.now()
    if not name.strip() or len(name) > 100:
        raise Invalid.at("name", text("guard.bad_name"))
    if not thresholds and not triggers:
        raise Invalid.at("thresholds", text("guard.empty"))
    read = plan_from_data(
        {
            "phases": [{"weight": "100%", "duration": "1s"}],
            "thresholds": dict(thresholds or {}),
            "rollback": {"triggers": [dict(trigger) for trigger in triggers or []]},
        },
        name=name,
    )
    spec = {
        "thresholds": [asdict(threshold) for threshold in read.thresholds],
        "triggers": [asdict(trigger) for trigger in read.rollback.triggers],
    }
    with transaction.atomic():
        guard, created = EnvironmentGuard.objects.update_or_create(
            name=name.strip(),
            defaults={
                "environment": environment.strip(),
                "spec": spec,
                "reason": reason,
                "updated_by": by.name,
                "updated_at": now,
            },
        )
        _record(by, "create" if created else "change", guard, reason)
        look_at_all(now)
    return guard


def delete_environment_guard(
    *, name: str, by: Actor, reason: str, now: datetime | None = None
) -> None:
    """Delete a guard. Raises Denied, Invalid, Missing."""
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.deleting_guard")), now or timezone.now()
    with transaction.atomic():
        guard = EnvironmentGuard.objects.filter(name=name).first()
        if guard is None:
            raise Missing("guard.missing", name=name)
        _record(by, "delete", guard, reason)
        guard.delete()
        look_at_all(now)


def _record(by: Actor, verb: str, guard: EnvironmentGuard, reason: str) -> None:
    record(
        actor=by,
        act=f"environment_guards.{verb}",
        object_kind="environment_guard",
        object_id=guard.pk,
        object_name=guard.name,
        reason=reason,
        details={"environment": guard.environment or "everywhere", "spec": guard.spec},
    )
