"""Draft a rollout: seed, plan and membership are frozen with it (spec section 4)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.local_time import BadTime, moment, zone_named
from console.lib.problems import Invalid
from console.lib.texts import text
from rollouts.apply import Cause, write_event
from rollouts.checks import checked_reason
from rollouts.drafts.asked import wanted
from rollouts.drafts.membership_rows import freeze
from rollouts.drafts.preview import Preview, preview
from rollouts.drafts.readiness import last_completed
from rollouts.engine.why import drafted
from rollouts.models import Config, ConfigVersion, Rollout, Target
from rollouts.plans.plan import Plan
from rollouts.sql.moments import keep

WHEN_BUSY = ("refuse", "queue", "supersede")


def draft_rollout(
    *,
    config: str | Config,
    version: int | ConfigVersion | None = None,
    plan: str | Mapping[str, Any] | Plan,
    selector: str,
    by: Actor,
    title: str = "",
    reason: str = "",
    spread_label: str = "",
    start_at: datetime | str | None = None,
    time_zone: str = "",
    when_busy: str = "refuse",
    overrides: Mapping[str, Any] | None = None,
    seed: str | None = None,
    retry_of: Rollout | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Write a draft whose phases hold exactly the agents that the preview with `seed` shows.

    A `start_at` without an offset is local to `time_zone`. Nothing is sent. Raises Denied, Missing,
    Invalid.
    """
    require(by, "rollouts.start")
    now = now or timezone.now()
    check_when_busy(when_busy)
    reason = checked_reason(reason)
    starts = starting_at(start_at, time_zone)
    asked = wanted(config, version, plan, selector, overrides)
    with transaction.atomic():
        rollout = Rollout(
            config=asked.version.config,
            version=asked.version,
            retry_of=retry_of,
            title=title.strip()[:200] or f"{asked.version}",
            selector=asked.selector,
            plan_name=asked.plan.name,
            plan=asked.plan.to_dict(),
            seed=seed or secrets.token_hex(8),
            spread_label=spread_label or asked.plan.pace.spread,
            when_busy=when_busy,
            start_at=starts,
            created_by=by.user,
            created_at=now,
            preview_at=now,
            why=drafted().to_dict(),
        )
        counted = freeze_members(rollout, asked.plan, now)
        inputs = inputs_of(rollout, counted)
        write_event(rollout, "draft", Cause(by, now, reason, inputs), state_to=rollout.state)
        keep(rollout, now)
    return rollout


def check_when_busy(read: str) -> None:
    """Refuse what says nothing about another rollout of the config. Raises Invalid."""
    if read not in WHEN_BUSY:
        says = text("draft.bad_when_busy", read=read, known=WHEN_BUSY)
        raise Invalid.at("when_busy", says)


def inputs_of(rollout: Rollout, counted: Preview) -> dict[str, Any]:
    """Return what an event keeps of a draft: what, to whom, how, and how many."""
    return {
        "version": rollout.version.number,
        "config_hash": rollout.version.config_hash,
        "plan": rollout.plan_name,
        "selector": rollout.selector,
        "agents": counted.eligible,
        "preview": counted.digest,
    }


def freeze_members(rollout: Rollout, plan: Plan, now: datetime) -> Preview:
    """Count who is in, and write the draft with its phases and targets, which it has none of yet.
    Returns what was counted."""
    counted = preview(
        config=rollout.config,
        version=rollout.version,
        plan=plan,
        selector=rollout.selector,
        spread_label=rollout.spread_label,
        seed=rollout.seed,
        when_busy=rollout.when_busy,
        retry_of=rollout.retry_of_id,
        rollout_id=rollout.pk,
        now=now,
    )
    rollout.preview = counted.to_dict()
    rollout.save()
    freeze(rollout, plan, counted, now)
    rollout.previous_version = _what_most_run(rollout) or last_completed(rollout.config)
    rollout.save(update_fields=["previous_version"])
    return counted


def starting_at(at: datetime | str | None, time_zone: str) -> datetime | None:
    """Return when the rollout starts. Raises Invalid for what names no moment."""
    try:
        zone = zone_named(time_zone)
    except BadTime as bad:
        raise Invalid.at("time_zone", text("time.bad", what=bad.says)) from bad
    try:
        return moment(at, zone) if at is not None else None
    except BadTime as bad:
        raise Invalid.at("start_at", text("time.bad", what=bad.says)) from bad


def _what_most_run(rollout: Rollout) -> ConfigVersion | None:
    """Return the version of this config that most of the targets run now, for "v17 -> v18"."""
    running = (
        Target.objects.filter(rollout=rollout)
        .exclude(previous_hash="")
        .values_list("previous_hash")
        .annotate(agents=Count("pk"))
        .order_by("-agents")[:5]
    )
    versions = {
        version.config_hash: version
        for version in rollout.config.versions.filter(body_ref__in=[row[0] for row in running])
    }
    return next((versions[row[0]] for row in running if row[0] in versions), None)
