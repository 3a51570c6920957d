"""Start a draft: preflight, one active rollout per config, an agent in at most one (spec 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from console.lib.problems import Refused, Stale
from console.lib.texts import in_line
from rollouts.apply import Cause, change_rollout, write_event
from rollouts.checks import checked_reason, locked, not_possible
from rollouts.drafts.accepting import accepted_by, still_blocking
from rollouts.drafts.membership_rows import freeze_anew
from rollouts.drafts.preview import Preview
from rollouts.engine.membership import has_drifted
from rollouts.engine.states import RolloutState
from rollouts.loop.begin import begin, blockers_of, count_again, gone_members, sentence
from rollouts.loop.look import look_on
from rollouts.models import Config, Rollout, Target


def start(
    *,
    rollout_id: int,
    by: Actor,
    reason: str = "",
    seen_revision: int | None = None,
    seen_preview: str | None = None,
    accept: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Rollout:
    """Start a draft now, or let it wait for its time or (`queue`) for the rollout in its way.

    `accept` names findings of preflight that are no obstacle, each with a reason; one event is
    written for each, and they stay accepted while the rollout waits.

    Raises Denied, Invalid (what is accepted), Missing, Stale (moved on, or the fleet changed since the preview by more than 1 %
    or 5 agents, those counted who went away from a phase of connected ones; fewer of them are
    replaced at the start, by the same seed), Refused (busy, or preflight forbids it). Locks the
    config, then the rollout.
    """
    require(by, "rollouts.start")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        _lock_config(rollout_id)
        rollout = locked(rollout_id, seen_revision, now)
        if rollout.state != RolloutState.DRAFT:
            raise not_possible(rollout, "rollout.not_started_now")
        cause = Cause(by, now, reason, {"preview": rollout.preview.get("digest")})
        rollout.started_by = by.user
        rollout.save(update_fields=["started_by"])
        blockers = blockers_of(rollout)
        if blockers and rollout.when_busy != "queue":
            raise Refused("start.busy", code="busy", blockers=sentence(blockers))
        _preflight(rollout, seen_preview, accept or {}, cause)
        waits = bool(blockers) or (rollout.start_at is not None and rollout.start_at > now)
        if waits:
            change_rollout(rollout, "schedule", cause)
        else:
            begin(rollout, cause, by)
        look_on(rollout, now)
    return rollout


def _lock_config(rollout_id: int) -> None:
    """Order starts of one config: the second one finds the first, not a clash."""
    config = Config.objects.filter(rollouts=rollout_id)
    config.select_for_update(of=("self",), no_key=True).first()


def _preflight(
    rollout: Rollout, seen_preview: str | None, accept: Mapping[str, str], cause: Cause
) -> None:
    """Count again by the draft's own seed; freeze anew when the person saw just this count."""
    now = cause.now
    fresh = count_again(rollout, now)
    if seen_preview is not None and seen_preview == fresh.digest:
        if fresh.digest != rollout.preview.get("digest"):
            freeze_anew(rollout, fresh, now)
    else:
        _check_drift(rollout, fresh, seen_preview)
    _accept(rollout, fresh, accept, cause)
    blocking = still_blocking(fresh.readiness, accept)
    if blocking:
        says = in_line(finding.text for finding in blocking)
        raise Refused("start.not_ready", code="not_ready", findings=says)


def _accept(rollout: Rollout, fresh: Preview, accept: Mapping[str, str], cause: Cause) -> None:
    """Keep what is accepted, one event for each."""
    rollout.accepted = []
    for finding in accepted_by(fresh.readiness, accept):
        reason = accept[finding.check].strip()
        inputs = {
            "check": finding.check,
            "finding": finding.text.to_json(),
            "agents": finding.count,
        }
        write_event(rollout, "accept_finding", Cause(cause.by, cause.now, reason, inputs))
        rollout.accepted.append({"check": finding.check, "reason": reason, "by": cause.by.name})
    rollout.save(update_fields=["accepted"])


def _check_drift(rollout: Rollout, fresh: Preview, seen_preview: str | None) -> None:
    frozen = set(Target.objects.filter(rollout=rollout).values_list("agent_id", flat=True))
    found = {agent for phase in fresh.phases for agent in phase.new} | set(fresh.rest)
    more, fewer, gone = len(found - frozen), len(frozen - found), gone_members(rollout)
    if has_drifted(len(frozen), more + fewer + gone):
        raise Stale("start.fleet_changed", code="fleet_changed", more=more, fewer=fewer, gone=gone)
    if seen_preview is not None and seen_preview != rollout.preview.get("digest"):
        raise Stale("start.other_preview", code="other_preview")
