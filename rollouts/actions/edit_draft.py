"""Change a draft: what, to whom, how. Its membership is frozen anew, by the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from rollouts.actions.draft import check_when_busy, freeze_members, inputs_of, starting_at
from rollouts.apply import Cause, write_event
from rollouts.checks import checked_reason, locked, not_possible
from rollouts.drafts.asked import Terms, wanted
from rollouts.drafts.membership_rows import unfreeze
from rollouts.engine.states import RolloutState
from rollouts.models import Rollout
from rollouts.plans.plan import Plan

KEEP: Final = "keep"  # the start as it is; None is "when somebody presses start"


def edit_draft(
    *,
    rollout_id: int,
    by: Actor,
    config: str | None = None,
    version: int | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    selector: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    title: str | None = None,
    spread_label: str | None = None,
    when_busy: str | None = None,
    start_at: datetime | str | None = KEEP,
    time_zone: str = "",
    reason: str = "",
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Change what is given and keep the rest; another config alone means its newest version.

    Who edits a draft is one of those whose work it is (four eyes). Raises Denied, Missing, Stale,
    Invalid, Refused (no draft any more).
    """
    require(by, "rollouts.edit")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if rollout.state != RolloutState.DRAFT:
            raise not_possible(rollout, "rollout.not_edited_now")
        asked = _asked(rollout, config, version, plan, selector, overrides)
        before = _drafted(rollout)
        _set(rollout, asked, title, when_busy)
        if spread_label is not None:
            rollout.spread_label = spread_label
        rollout.spread_label = rollout.spread_label or asked.plan.pace.spread
        if start_at != KEEP:
            rollout.start_at = starting_at(start_at, time_zone)
        rollout.preview_at, rollout.accepted = now, []
        rollout.revision += 1
        if by.user is not None and by.user.pk not in rollout.editors:
            rollout.editors = [*rollout.editors, by.user.pk]
        unfreeze(rollout)
        counted = freeze_members(rollout, asked.plan, now)
        inputs = {**inputs_of(rollout, counted), "before": before}
        write_event(rollout, "edit", Cause(by, now, reason, inputs))
    return rollout


def _asked(
    rollout: Rollout,
    config: str | None,
    version: int | None,
    plan: str | Mapping[str, Any] | Plan | None,
    selector: str | None,
    overrides: Mapping[str, Any] | None,
) -> Terms:
    """Look up what the draft is to be: what is not given stays."""
    name = config or rollout.config.name
    if name == rollout.config.name and version is None:
        version = rollout.version.number
    return wanted(
        name,
        version,
        Plan.from_dict(rollout.plan) if plan is None else plan,
        rollout.selector if selector is None else selector,
        overrides,
    )


def _set(rollout: Rollout, asked: Terms, title: str | None, when_busy: str | None) -> None:
    had_own_title = rollout.title != str(rollout.version)
    rollout.config, rollout.version = asked.version.config, asked.version
    rollout.selector = asked.selector
    rollout.plan_name, rollout.plan = asked.plan.name, asked.plan.to_dict()
    if title is not None or not had_own_title:
        rollout.title = (title or "").strip()[:200] or str(asked.version)
    if when_busy is not None:
        check_when_busy(when_busy)
        rollout.when_busy = when_busy


def _drafted(rollout: Rollout) -> dict[str, Any]:
    """Return what the draft was before, for its event."""
    return {
        "config": rollout.config.name,
        "version": rollout.version.number,
        "plan": rollout.plan_name,
        "selector": rollout.selector,
        "title": rollout.title,
        "spread_label": rollout.spread_label,
        "start_at": rollout.start_at.isoformat() if rollout.start_at else None,
        "preview": rollout.preview.get("digest"),
    }
