"""Discard a draft: it never starts. It stays readable, like everything that was written down."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.policy import require
from rollouts.apply import Cause, change_rollout
from rollouts.checks import checked_reason, locked, not_possible
from rollouts.ending import end_phases, let_go
from rollouts.engine.states import ROLLOUT_TABLE
from rollouts.engine.why import discarded
from rollouts.models import Rollout


def discard(
    *,
    rollout_id: int,
    by: Actor,
    reason: str = "",
    seen_revision: int | None = None,
    now: datetime | None = None,
) -> Rollout:
    """End a draft. Raises Denied, Missing, Stale, Refused when it is no draft any more."""
    require(by, "rollouts.discard")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        rollout = locked(rollout_id, seen_revision, now)
        if ("discard", rollout.state) not in ROLLOUT_TABLE:
            raise not_possible(rollout, "rollout.not_discarded_now")
        cause = Cause(by, now, reason)
        end_phases(rollout, cause)
        change_rollout(rollout, "discard", cause, finished_at=now)
        let_go(rollout, now)
        rollout.why = discarded().to_dict()
        rollout.save(update_fields=["why"])
    return rollout
