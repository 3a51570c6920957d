"""How a rollout ends: phases closed, agents let go, what is left for those who were away."""

from __future__ import annotations

from datetime import datetime

from agents.actions.set_desired import release_topic, set_desired
from console.lib.texts import Text
from rollouts.apply import Cause, change_approval, change_phase, change_rollout
from rollouts.delivering import targets
from rollouts.delivering.counts import recount
from rollouts.engine import tally
from rollouts.engine.facts import Counts
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.engine.why import finished
from rollouts.limits.budget import release
from rollouts.models import Approval, Phase, Rollback, Rollout, Target
from rollouts.sql.moments import keep

UNFINISHED = (
    PhaseState.PENDING,
    PhaseState.AWAITING_APPROVAL,
    PhaseState.DEPLOYING,
    PhaseState.OBSERVING,
)


def end_phases(rollout: Rollout, cause: Cause) -> None:
    """Skip every phase that is not over: the rollout ends before it."""
    for phase in rollout.phases.filter(state__in=UNFINISHED).order_by("index"):
        withdraw_questions(rollout, phase, cause)
        change_phase(rollout, phase, "skip_phase", cause, finished_at=cause.now)


def withdraw_questions(rollout: Rollout, phase: Phase, cause: Cause) -> None:
    """Take back an approval that is still asked for."""
    for approval in phase.approvals.filter(state="waiting"):
        change_approval(rollout, approval, Approval.State.WITHDRAWN, cause)


def let_go(rollout: Rollout, now: datetime) -> None:
    """Free the agents for other rollouts and stop news about them; what was offered stays."""
    targets.skip(rollout)
    Target.objects.filter(rollout=rollout, active=True).update(active=False)
    release_topic(rollout.topic)
    release(rollout.topic)
    recount(rollout.phases.all(), now)
    settle_why(rollout)
    keep(rollout, now)


def succeed(rollout: Rollout, config_hash: str, cause: Cause) -> None:
    """Complete the rollout. Targets that were away get the version when they return.

    From now on it is the config's last completed version, as newcomers get it; those agents keep
    the topic, so that their word still reaches this rollout's numbers.
    """
    release_topic(rollout.topic)
    release(rollout.topic)
    late = Target.objects.filter(rollout=rollout, state__in=["waiting", "offered"])
    ids = list(late.values_list("agent_id", flat=True))
    Target.objects.filter(rollout=rollout, active=True).update(active=False)
    if ids:
        result = set_desired(
            wants=dict.fromkeys(ids, config_hash),
            cause=rollout.topic,
            topic=rollout.topic,
            now=cause.now,
        )
        targets.offer(rollout, result.offered, cause.now, waits=False)
        targets.skip(rollout, result.quarantined)
    change_rollout(rollout, "succeed", cause, finished_at=cause.now)
    recount(rollout.phases.all(), cause.now)
    settle_why(rollout)
    if ids:
        rollout.next_tick_at = cause.now
        rollout.save(update_fields=["next_tick_at"])


def settle_why(rollout: Rollout, note: Text | str = "") -> None:
    """Store the last line of a rollout that is over. `note`: how its way back went, if it has one."""
    back = Rollback.objects.filter(rollout=rollout).first()
    line = finished(
        RolloutState(rollout.state),
        total(rollout),
        f"v{rollout.version.number}",
        note,
        back.reason if back is not None else "",
        only_silence=back is not None and bool(back.cause.get("only_silence")),
    ).to_dict()
    if line != rollout.why:
        rollout.why = line
        rollout.save(update_fields=["why"])


def total(rollout: Rollout) -> Counts:
    """Return the counts of all phases together."""
    all_counts = [Counts.from_dict(c) for c in rollout.phases.values_list("counts", flat=True)]
    return tally.total(all_counts)
