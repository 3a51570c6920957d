"""Decides a rollback: who goes back to what is written down first, then waves deliver it.

From here on nothing depends on the process that decided: each rollback tick goes on from the rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.actor import SYSTEM, named
from agents.actions.clear_desired import clear_desired
from agents.actions.quarantine import quarantine
from agents.actions.signing import ask_for_way_back
from agents.models import Quarantine
from console.lib.problems import Refused
from console.lib.sql import among, unsaid, without
from console.lib.texts import Text, text
from rollouts.apply import Cause, change_phase, change_rollback, change_rollout, write_event
from rollouts.delivering import targets
from rollouts.delivering.counts import recount
from rollouts.drafts.readiness import last_completed
from rollouts.ending import withdraw_questions
from rollouts.engine.states import BEGUN_PHASES, TOUCHED_TARGETS, PhaseState
from rollouts.engine.why import before, rolling_back
from rollouts.limits.budget import release
from rollouts.models import Rollback, RollbackTarget, Rollout, Target
from rollouts.rollback.targets import NO_VERSION, batch_size
from rollouts.sql.ways_back import write_ways_back


def begin_rollback(
    rollout: Rollout,
    *,
    kind: str,
    cause: Cause,
    method: str,
    breach_at: datetime | None = None,
    failed_phase: int | None = None,
) -> Rollback:
    """Turn the rollout round: every touched agent returns to what it ran before.

    The caller holds the rollout's lock, and the transition table lets only one of two callers
    through, so that two triggers at once give one rollback. Quarantines the version for the fleet,
    unless `cause` says that only silence decided (`only_silence`).
    """
    rollback = Rollback.objects.filter(rollout=rollout).first()
    if rollback is not None:
        return _again(rollout, rollback, cause)
    bad = rollout.version.config_hash
    rollback = Rollback.objects.create(
        rollout=rollout,
        kind=kind,
        method=method,
        to="previous",
        reason=cause.reason,
        cause=dict(cause.inputs),
        requested_by=cause.by.user,
        requested_by_name=cause.by.name,
        breach_at=breach_at,
        decided_at=cause.now,
        next_tick_at=cause.now,
        looked_at=cause.now,
    )
    _turn_phases(rollout, cause, failed_phase)
    ways = _ways_back(rollout, rollback, bad, method)
    if not rollout.is_active:
        _claim(rollout, ways)
    change_rollout(rollout, "roll_back", _with(cause, rollback=rollback.pk, agents=ways))
    _ask_for_manifests(rollout, rollback, cause.now)
    _let_go_of_untouched(rollout, rollback, cause.now)
    if not cause.inputs.get("only_silence"):
        quarantine(
            config_hash=bad,
            agent_ids=None,
            outcome=Quarantine.Outcome.ROLLED_BACK,
            by=SYSTEM,
            reason=text("rolled_back.by", by=named(cause.by.name), reason=cause.reason),
            cause=rollout.number,
            now=cause.now,
        )
        version = f"v{rollout.version.number}"
        write_event(rollout, "quarantined", Cause(SYSTEM, cause.now, inputs={"version": version}))
    rollout.why = rolling_back(0, ways, goal_of(rollout)).to_dict()
    rollout.save(update_fields=["why"])
    return rollback


def _ask_for_manifests(rollout: Rollout, rollback: Rollback, now: datetime) -> None:
    """Hosts refuse a version older than the last one they took, unless its manifest says that it takes
    that one's place (security.md R33). What is signed late travels late; the way back does not wait."""
    hashes = RollbackTarget.objects.filter(rollback=rollback).exclude(to_hash="")
    ask_for_way_back(
        config_hashes=list(hashes.values_list("to_hash", flat=True).distinct()),
        config=rollout.config.name,
        newest=rollout.version.number,
        now=now,
    )


def _claim(rollout: Rollout, ways: int) -> None:
    """Take the agents of a rollout that is over again. Raises Refused when others hold them."""
    if not ways:
        raise Refused(
            "rollback.nothing_wanted",
            code="nothing_to_do",
            version=rollout.version.number,
            rollout=rollout.number,
        )
    mine = _agents(RollbackTarget.objects.filter(rollback__rollout=rollout))
    others = Target.objects.filter(among("agent_id", mine), active=True).exclude(rollout=rollout)
    busy = sorted(set(others.values_list("rollout_id", flat=True))) or list(
        Rollout.objects.active().filter(config_id=rollout.config_id).values_list("pk", flat=True)
    )
    if busy:
        names = [f"R-{pk:04d}" for pk in busy]
        raise Refused("rollback.others_active", code="busy", names=names)
    Target.objects.filter(among("agent_id", mine), rollout=rollout).update(active=True)


def _with(cause: Cause, **inputs: Any) -> Cause:
    return Cause(cause.by, cause.now, cause.reason, {**cause.inputs, **inputs})


def goal_of(rollout: Rollout) -> Text | str:
    """Return what the agents of a rollout go back to."""
    version = rollout.previous_version
    return before(f"v{version.number}" if version is not None else "")


def _turn_phases(rollout: Rollout, cause: Cause, failed: int | None) -> None:
    """Close the phases: the one whose gate failed is failed, those never begun are skipped.

    Those that had passed become rolled back when the rollback is done.
    """
    for phase in rollout.phases.order_by("index"):
        if phase.state == PhaseState.AWAITING_APPROVAL:
            withdraw_questions(rollout, phase, cause)
        if phase.index == failed and phase.state in BEGUN_PHASES - {PhaseState.FAILED}:
            change_phase(rollout, phase, "fail_phase", cause, finished_at=cause.now)
        elif phase.state in {PhaseState.PENDING, PhaseState.AWAITING_APPROVAL}:
            change_phase(rollout, phase, "skip_phase", cause, finished_at=cause.now)


def _ways_back(rollout: Rollout, rollback: Rollback, bad: str, method: str) -> int:
    fallback = last_completed(rollout.config, other_than=bad)
    touched = Target.objects.filter(rollout=rollout, state__in=TOUCHED_TARGETS)
    batch = batch_size(touched.count()) if method == Rollback.Method.GRADUAL else 0
    ways = write_ways_back(
        rollout.pk,
        rollback.pk,
        bad=bad,
        fallback=fallback.config_hash if fallback is not None else "",
        batch=batch,
        no_way=NO_VERSION,
    )
    stranded = RollbackTarget.objects.filter(rollback=rollback, state="no_version")
    # An agent that has not applied the bad version yet must not get it later either.
    theirs = Target.objects.filter(among("agent_id", _agents(stranded)), rollout=rollout)
    clear_desired(_agents(theirs.exclude(state="applied")), bad)
    return ways


def _agents(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("agent_id", flat=True))


def _let_go_of_untouched(rollout: Rollout, rollback: Rollback, now: datetime) -> None:
    """Free the agents that were never offered the version, or ran it before."""
    touched = RollbackTarget.objects.filter(
        rollback_id=unsaid(rollback.pk), agent=OuterRef("agent_id")
    )
    others = Target.objects.filter(without(touched), rollout=rollout)
    targets.skip(rollout, _agents(others.filter(state="waiting")))
    others.filter(active=True).update(active=False)
    release(rollout.topic)
    recount(rollout.phases.all(), now)


def _again(rollout: Rollout, rollback: Rollback, cause: Cause) -> Rollback:
    """Ask the stragglers of an incomplete rollback once more."""
    left = RollbackTarget.objects.filter(
        rollback=rollback, state__in=["failed", "timed_out", "skipped"]
    )
    _lift_refusals(left, cause)
    count = targets.ask_again(rollback)
    agents = _agents(RollbackTarget.objects.filter(rollback=rollback, state="waiting"))
    change_rollback(
        rollback,
        "rollback_again",
        cause,
        next_tick_at=cause.now,
        finished_at=None,
        wave=0,
        looked_at=cause.now,
    )
    change_rollout(
        rollout, "roll_back", _with(cause, rollback=rollback.pk, agents=count), finished_at=None
    )
    Target.objects.filter(among("agent_id", agents), rollout=rollout).update(active=True)
    return rollback


def _lift_refusals(left: QuerySet[RollbackTarget], cause: Cause) -> None:
    """Let stragglers have the version that they refused on the way back: a person asks for it."""
    refused = Quarantine.objects.filter(
        agent_id=OuterRef("agent_id"), config_hash=OuterRef("to_hash"), lifted_at=None
    )
    ids = left.annotate(refusal=Subquery(refused.values("pk")[:1])).values_list("refusal")
    Quarantine.objects.filter(pk__in=[row[0] for row in ids if row[0]]).update(
        lifted_at=cause.now,
        lifted_by=cause.by.name,
        lift_reason=text("rolled_back.again", reason=cause.reason),
    )
