"""Retry: a new rollout of the agents that failed or timed out in one that is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from agents.models import Quarantine
from console.lib import hints
from console.lib.problems import Refused
from console.lib.texts import text
from rollouts.actions.draft import draft_rollout
from rollouts.actions.start import start
from rollouts.apply import Cause, write_event
from rollouts.checks import checked_reason, locked
from rollouts.engine.states import FAILED_TARGETS, FINAL_STATES, RolloutState
from rollouts.models import Rollout, Target
from rollouts.plans.plan import Plan


def retry(*, rollout_id: int, by: Actor, reason: str = "", now: datetime | None = None) -> Rollout:
    """Draft and start a rollout of the same version, by the same plan, to those that failed.

    Lifts what keeps the version from just these agents (OP-28: an operator's retry), with a note.
    Raises Denied, Missing, Refused (still running, nobody failed, or the version was rolled back).
    """
    require(by, "rollouts.retry")
    reason, now = checked_reason(reason), now or timezone.now()
    with transaction.atomic():
        old = locked(rollout_id, None, now)
        if old.state not in FINAL_STATES:
            raise Refused("retry.still_runs", code="wrong_state", number=old.number)
        if old.state in {RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}:
            raise Refused(
                "retry.quarantined",
                code="quarantined",
                number=old.number,
                version=old.version.number,
            )
        failed = Target.objects.filter(rollout=old, state__in=FAILED_TARGETS)
        ids = list(failed.values_list("agent_id", flat=True))
        if not ids:
            raise Refused("retry.nobody_failed", code="nobody_failed", number=old.number)
        _lift(old, ids, by, reason, now)
        drafted = draft_rollout(
            config=old.config,
            version=old.version,
            plan=Plan.from_dict(old.plan),
            selector=old.selector,
            by=by,
            # A name from here on, in the language of who asked: people change it, lists search it.
            title=str(text("retry.title", number=old.number, title=old.title))[:200],
            reason=reason,
            spread_label=old.spread_label,
            retry_of=old,
            now=now,
        )
        return start(rollout_id=drafted.pk, by=by, reason=reason, now=now)


def _lift(old: Rollout, agent_ids: list[int], by: Actor, reason: str, now: datetime) -> None:
    lifted = Quarantine.objects.filter(
        agent_id__in=agent_ids, config_hash=old.version.config_hash, lifted_at=None
    ).update(
        lifted_at=now,
        lifted_by=by.name,
        lift_reason=text("retry.lifts", number=old.number, reason=reason),
    )
    if lifted:
        transaction.on_commit(lambda: hints.mark_dirty("quarantines", "agents"))
        inputs = {"version": f"v{old.version.number}", "fleet": False, "agents": lifted}
        write_event(old, "quarantine_lifted", Cause(by, now, reason, inputs))
        record(
            actor=by,
            act="quarantine.lift",
            object_kind="config_hash",
            object_id=old.version.config_hash,
            object_name=str(old.version),
            reason=text("retry.lifts", number=old.number, reason=""),
            details={"agents": lifted},
            at=now,
        )
