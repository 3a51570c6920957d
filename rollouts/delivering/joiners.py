"""Late joiners (spec section 4): agents that match a rollout but came after its draft.

They get the last completed version of their config at once, and the running one only with the last
wave.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts.actor import SYSTEM
from agents.actions.set_desired import set_desired
from agents.models import Agent, Quarantine
from agents.models.querysets import AgentQuerySet
from agents.selectors.grammar import parse
from console.lib.database import locks
from console.lib.sql import unsaid, without
from rollouts.apply import Cause, write_event
from rollouts.engine.states import RolloutState
from rollouts.models import Config, Phase, Rollback, RollbackTarget, Rollout, Target
from rollouts.selectors import selector_q

BATCH = 500
JOIN_LOCK = 0x7469_6A6E


def _joiners(rollout: Rollout) -> AgentQuerySet:
    """Agents that match, can take a config, are connected, and have no part in any rollout now."""
    mine = Target.objects.filter(rollout_id=unsaid(rollout.pk), agent=OuterRef("pk"))
    busy = Target.objects.filter(agent=OuterRef("pk"), active=True)
    kept_from_it = Quarantine.objects.filter(
        agent=OuterRef("pk"), config_hash=rollout.version.config_hash, lifted_at=None
    )
    return (
        Agent.objects.matching(selector_q(parse(rollout.selector)))
        .accepting_remote_config()
        .filter(status__connected=True)
        .exclude(status__running_hash=rollout.version.config_hash)
        .filter(without(mine), without(busy), without(kept_from_it))
    )


def count_joiners(rollout: Rollout) -> int:
    """Return how many agents would join with the last wave. A retry takes no newcomers."""
    return 0 if rollout.retry_of_id else _joiners(rollout).count()


def add_joiners(rollout: Rollout, phase: Phase) -> int:
    """Make today's newcomers targets of the last wave, after those who are in it already."""
    if rollout.retry_of_id:
        return 0
    last = Target.objects.filter(phase=phase).order_by("-position").first()
    place = last.position + 1 if last is not None else 0
    rows = [
        Target(rollout=rollout, phase=phase, agent_id=agent_id, position=place + n, active=True)
        for n, agent_id in enumerate(_joiners(rollout).order_by("pk").values_list("pk", flat=True))
    ]
    Target.objects.bulk_create(rows, batch_size=5000)
    return len(rows)


def welcome(now: datetime) -> int:
    """Give newcomers the last completed version of their config. Returns how many got one.

    A newcomer has no desired config at all, or was left out of the newest completed rollout (it
    was away) and nothing was offered to it since. One that matches a rollback by selector from that
    version gets nothing. Call inside a transaction; one worker at a time.
    """
    if not locks.is_free(JOIN_LOCK):
        return 0
    welcomed = 0
    for config in Config.objects.order_by("pk"):
        done = (
            Rollout.objects.filter(config=config, state=RolloutState.SUCCEEDED, retry_of=None)
            .select_related("version", "config")
            .order_by("-finished_at")
            .first()
        )
        if done is not None:
            welcomed += _welcome(done, now)
    return welcomed


def _welcome(done: Rollout, now: datetime) -> int:
    untouched = Q(desired=None) | Q(desired__at__lt=done.started_at)
    found = _joiners(done).filter(untouched)
    if not done.plan["promote_rest"]:
        # The plan left a part of the fleet out on purpose: only the truly new are newcomers.
        found = found.filter(first_seen_at__gt=done.preview_at)
    for selector in _taken_back_from(done):
        found = found.filter(~selector_q(parse(selector)))
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    result = set_desired(
        wants=dict.fromkeys(ids, done.version.config_hash),
        cause=f"joiners:{done.pk}",
        topic="",
        now=now,
    )
    count = len(result.offered) + len(result.already_running)
    if count:
        cause = Cause(SYSTEM, now, inputs={"agents": count, "version": done.version.number})
        write_event(done, "late_joiners", cause)
    return count


def _taken_back_from(done: Rollout) -> list[str]:
    """Return the selectors whose agents were taken back from this version after it came: who
    matches one of them now is not to get it either."""
    config_hash = done.version.config_hash
    taken = RollbackTarget.objects.filter(rollback=OuterRef("pk"), from_hash=config_hash)
    rollbacks = Rollback.objects.filter(
        Exists(taken), kind=Rollback.Kind.SELECTOR, decided_at__gt=done.started_at
    )
    return list(rollbacks.order_by("pk").values_list("selector", flat=True))
