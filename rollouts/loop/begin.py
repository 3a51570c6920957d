"""How a rollout begins: who stands in the way, preflight, and the claim on its agents.

Used by the act of a person and, for scheduled and queued rollouts, by the tick.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.actor import SYSTEM, Actor
from console.lib.problems import Refused
from console.lib.sql import unsaid
from console.lib.texts import Text, also, text
from rollouts.apply import Cause, change_rollout, write_event
from rollouts.drafts.accepting import still_blocking
from rollouts.drafts.membership_rows import freeze_anew
from rollouts.drafts.preview import Preview, preview
from rollouts.drafts.readiness import readiness_of
from rollouts.ending import end_phases, let_go
from rollouts.engine.facts import Blocker
from rollouts.engine.membership import takes_away
from rollouts.engine.states import ACTIVE_STATES, RolloutState
from rollouts.engine.tally import agents
from rollouts.models import Rollout, Target
from rollouts.plans.plan import Plan

SUPERSEDABLE = {RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.COMPLETING}


def blockers_of(rollout: Rollout) -> tuple[Blocker, ...]:
    """Return the active rollouts of the same config, or that hold some of its agents."""
    of_config = Rollout.objects.filter(config_id=rollout.config_id).exclude(pk=rollout.pk)
    same = list(of_config.filter(Q(state__in=ACTIVE_STATES) | _ahead_of(rollout)).order_by("pk"))
    mine = Target.objects.filter(rollout_id=unsaid(rollout.pk)).values("agent_id")
    held = Counter(
        Target.objects.filter(active=True, agent_id__in=mine)
        .exclude(rollout=rollout)
        .values_list("rollout_id", flat=True)
    )
    if rollout.when_busy == "supersede":
        # What can be taken over is no obstacle; a rollback in progress always is.
        return tuple(
            Blocker(other.number, held.get(other.pk, 0), other in same)
            for other in Rollout.objects.filter(pk__in={r.pk for r in same} | set(held))
            if other.state not in SUPERSEDABLE
        )
    found = {r.pk: Blocker(r.number, held.get(r.pk, 0), same_config=True) for r in same}
    for pk, count in sorted(held.items()):
        found.setdefault(pk, Blocker(f"R-{pk:04d}", count))
    return tuple(found.values())


def _ahead_of(rollout: Rollout) -> Q:
    """Who of the same config stands before a rollout in the queue."""
    if rollout.state != RolloutState.SCHEDULED or rollout.when_busy != "queue":
        return Q(pk__in=[])
    return Q(state=RolloutState.SCHEDULED, when_busy="queue", start_at=None, pk__lt=rollout.pk)


def sentence(blockers: tuple[Blocker, ...]) -> Text | str:
    """Return who stands in the way, "" when nobody does."""
    return also(
        text("busy.same_config", number=b.number)
        if b.same_config
        else text("busy.holds", number=b.number, agents=agents(b.agents))
        for b in blockers
    )


def count_again(rollout: Rollout, now: datetime) -> Preview:
    """Count the membership of a draft as it would be now, by its own seed."""
    return preview(
        config=rollout.config,
        version=rollout.version,
        plan=Plan.from_dict(rollout.plan),
        selector=rollout.selector,
        spread_label=rollout.spread_label,
        seed=rollout.seed,
        when_busy=rollout.when_busy,
        retry_of=rollout.retry_of_id,
        rollout_id=rollout.pk,
        now=now,
    )


def blocking_findings(rollout: Rollout) -> tuple[Text | str, ...]:
    """Return what forbids the start now: a version may be quarantined while its rollout waits."""
    accepted = [one["check"] for one in rollout.accepted]
    return tuple(finding.text for finding in still_blocking(readiness_of(rollout), accepted))


def gone_members(rollout: Rollout) -> int:
    """Count who was connected when membership was frozen, stands in a phase that takes nobody who
    is away, and is away now."""
    last = len(rollout.plan["phases"]) - 1
    early = [
        phase.pk
        for phase in rollout.phases.all()
        if not phase.is_rest and not takes_away(phase.weight, is_last=phase.index == last)
    ]
    members = Target.objects.filter(phase__in=early)
    return members.exclude(agent__status__connected=True).count()


def redraw(rollout: Rollout, cause: Cause) -> None:
    """Draw the phases again by the draft's own seed when members of an early one went away since
    the preview: a dead canary proves nothing, and would hold the rollout. Says so in the timeline."""
    gone = gone_members(rollout)
    fresh = count_again(rollout, cause.now) if gone else None
    if fresh is None or not any(phase.new for phase in fresh.phases):
        return
    freeze_anew(rollout, fresh, cause.now)
    write_event(rollout, "redrawn", Cause(SYSTEM, cause.now, inputs={"agents": gone}))


def begin(rollout: Rollout, cause: Cause, by: Actor) -> None:
    """Claim every target and let the rollout run. Call with the rollout's row locked.

    Raises Refused naming who holds the config or an agent; the database has the last word, so
    that of two starts at once exactly one wins.
    """
    if rollout.when_busy == "supersede":
        supersede_others(rollout, cause)
    redraw(rollout, cause)
    try:
        with transaction.atomic():
            Target.objects.filter(rollout=rollout).update(active=True)
            change_rollout(
                rollout,
                "start",
                cause,
                started_at=cause.now,
                started_by=rollout.started_by or by.user,
                looked_at=cause.now,
                caught_up_at=cause.now,
            )
    except IntegrityError as clash:
        who = sentence(blockers_of(rollout)) or text("busy.this_moment")
        raise Refused("busy.not_started", code="busy", who=who) from clash


def supersede_others(rollout: Rollout, cause: Cause) -> None:
    """End the rollouts in the way, leaving their agents as they are, to this one's benefit.

    Locks the others by primary key; a start takes its own row first, so starts that supersede each
    other are ordered by `start`'s lock on the config.
    """
    mine = Target.objects.filter(rollout_id=unsaid(rollout.pk)).values("agent_id")
    holders = Target.objects.filter(active=True, agent_id__in=mine).values("rollout_id")
    pks = set(
        Rollout.objects.filter(state__in=SUPERSEDABLE, pk__in=holders).values_list("pk", flat=True)
    ) | set(
        Rollout.objects.filter(state__in=SUPERSEDABLE, config_id=rollout.config_id).values_list(
            "pk", flat=True
        )
    )
    others = Rollout.objects.select_for_update(of=("self",), no_key=True).filter(
        pk__in=pks - {rollout.pk}
    )
    for other in others.order_by("pk"):
        if other.state not in SUPERSEDABLE:
            continue
        why = Cause(cause.by, cause.now, text("superseded.by", number=rollout.number))
        end_phases(other, why)
        change_rollout(other, "supersede", why, superseded_by=rollout, finished_at=cause.now)
        let_go(other, cause.now)
