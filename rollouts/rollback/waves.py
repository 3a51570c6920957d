"""Drives rollbacks: sends waves, verifies each agent by the hash it reports, lists stragglers.

Everything is in rows, so a rollback goes on where any process left it. Lock order: rollout, rollback.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts.actor import SYSTEM
from agents import news
from agents.actions.set_desired import release_topic, set_desired
from console.lib import hints, logs
from console.lib.sql import among
from console.lib.texts import Text, text
from rollouts.apply import Cause, change_phase, change_rollback, change_rollout, write_event
from rollouts.delivering import targets
from rollouts.delivering.counts import recount
from rollouts.ending import settle_why
from rollouts.engine.states import PhaseState, RollbackState, RolloutState
from rollouts.engine.tally import agents
from rollouts.engine.why import rolling_back
from rollouts.limits.budget import lease, release
from rollouts.models import Rollback, RollbackTarget, Rollout, Target
from rollouts.models.querysets import due
from rollouts.rollback.begin import goal_of
from rollouts.rollback.durations import durations
from rollouts.rollback.targets import batch_is_good
from rollouts.sql.counts import count_back
from rollouts.sql.moments import keep

logger = logging.getLogger(__name__)

CHUNK = 10_000  # what a chunk costs beside its rows is paid ten times for 100,000 agents
GAP_S = 30.0
LOOK_S = 0.5
LOOK_LATE_S = 10.0
LATE_DAYS = 7


def tick_one(rollback_id: int, now: datetime) -> bool:
    """Take one due rollback one step further. False when it is not due or somebody else has it."""
    with transaction.atomic(), logs.bind(rollback=rollback_id):
        mine = Rollback.objects.filter(due(now), pk=rollback_id)
        rollout_id = mine.values_list("rollout_id", flat=True).first()
        rollout = None
        if rollout_id is not None:
            rollout = Rollout.objects.claim(rollout_id)
            if rollout is None:
                return False
        rollback = mine.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
        if rollback is None:
            return False
        rollback.rollout = rollout
        look(rollback, now)
    return True


def look(rollback: Rollback, now: datetime) -> None:
    """Read what agents said, give up on the silent, send the next wave, finish when it is done."""
    gap_s = (now - rollback.looked_at).total_seconds() if rollback.looked_at else 0.0
    if abs(gap_s) > GAP_S:  # nobody looked, or the clock was set back
        targets.extend_deadlines(rollback, gap_s)
    changed = news.take(rollback.topic)
    targets.observe(rollback, changed, now)
    changed |= targets.time_out(rollback, now)[0]
    sent = Sent()
    if rollback.state == RollbackState.RUNNING:
        sent = _send(rollback, now)
    rollback.looked_at = now
    rollback.tick_error = ""
    if changed or sent.count or not rollback.counts:
        rollback.counts = {**rollback.counts, **count_back(rollback.pk)}
    # An offer alone moves no target of the rollout: counting them after each chunk took seconds.
    if changed or sent.already:
        _bring_targets_back(rollback, changed | sent.already, now)
    if sent.count:
        rollback.offered_at = now
    rollback.next_tick_at = _next_look(rollback, sent.count, now)
    rollback.save(
        update_fields=["looked_at", "counts", "offered_at", "next_tick_at", "wave", "tick_error"]
    )
    if rollback.state == RollbackState.RUNNING:
        _finish_if_done(rollback, now)
        _say(rollback)
    elif changed:
        _late(rollback, now)
    if rollback.rollout is not None and (changed or sent.count or sent.already):
        keep(rollback.rollout, now)
    if changed or sent.count:
        topics = [rollback.topic] + ([rollback.rollout.topic] if rollback.rollout else [])
        transaction.on_commit(lambda: hints.mark_dirty(*topics, "fleet", "rollouts"))


def _next_look(rollback: Rollback, sent: int, now: datetime) -> datetime | None:
    if rollback.state == RollbackState.RUNNING:
        # More waits in line: at once. Else the beat comes round anyway.
        return now if sent == CHUNK else now + timedelta(seconds=LOOK_S)
    left = sum(rollback.counts.get(k, 0) for k in ("offline", "timed_out", "failed", "outstanding"))
    if not left or (rollback.finished_at and now - rollback.finished_at > timedelta(LATE_DAYS)):
        return None
    return now + timedelta(seconds=LOOK_LATE_S)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many targets were offered their way back now, and which agents run it already."""

    count: int = 0
    already: frozenset[int] = frozenset()


def _send(rollback: Rollback, now: datetime) -> Sent:
    """Offer the next targets their way back; most recent phase first, or the next batch."""
    line = RollbackTarget.objects.filter(rollback=rollback, state="waiting")
    if rollback.method == Rollback.Method.GRADUAL:
        wave = _gradual_wave(rollback, now)
        if wave is None:
            return Sent()
        line = line.filter(wave__lte=wave)
    rows = list(line.order_by("wave", "pk").values_list("agent_id", "to_hash", "wave")[:CHUNK])
    if not rows:
        return Sent()
    force = rollback.method == Rollback.Method.IMMEDIATE
    asked = [row[0] for row in rows]
    leased = set(lease(asked, rollback.topic, now, force=force, healing=True).allowed)
    sent = [row for row in rows if row[0] in leased]
    if not sent:
        return Sent()
    result = set_desired(
        wants={agent_id: to_hash for agent_id, to_hash, _ in sent},
        cause=rollback.topic,
        topic=rollback.topic,
        now=now,
    )
    targets.offer(rollback, result.offered, now)
    targets.find(rollback, result.already_running, now)
    targets.refuse(rollback, result.quarantined, text("no_way.quarantined"))
    release(rollback.topic, [*result.already_running, *result.quarantined])
    _note_wave(rollback, sent[-1][2], len(sent), now)
    return Sent(len(sent), frozenset(result.already_running))


def _note_wave(rollback: Rollback, wave: int, count: int, now: datetime) -> None:
    """Write one event per wave begun, not per chunk."""
    if wave <= rollback.wave:
        return
    rollback.wave = wave
    cause = Cause(SYSTEM, now, inputs={"wave": wave, "agents": count})
    write_event(rollback.rollout, "rollback_wave", cause, rollback=rollback)


def _gradual_wave(rollback: Rollback, now: datetime) -> int | None:
    """Return the batch that may be sent now, None to wait. A bad batch ends the rollback.

    A batch of which nobody waits is passed over: its agents have no way back, or went before.
    """
    left = RollbackTarget.objects.filter(rollback=rollback, state="waiting")
    following = left.order_by("wave").values_list("wave", flat=True).first()
    if rollback.wave == 0 or following == rollback.wave:
        return following
    current = RollbackTarget.objects.filter(rollback=rollback, wave=rollback.wave)
    if current.filter(state="offered", deadline_at__isnull=False).exists():
        return None
    states = list(current.values_list("state", flat=True))
    confirmed, failed = states.count("confirmed"), states.count("failed")
    if batch_is_good(confirmed, failed, states.count("timed_out")):
        return following
    error = text("wave.not_sent", wave=rollback.wave)
    targets.skip(rollback, _ids(left), error)
    reason = text("wave.came_back", wave=rollback.wave, confirmed=confirmed, of=len(states))
    write_event(
        rollback.rollout, "rollback_check_failed", Cause(SYSTEM, now, reason), rollback=rollback
    )
    rollback.counts = {}
    return None


def _bring_targets_back(rollback: Rollback, changed: set[int], now: datetime) -> None:
    """Show in the rollout who is back, and give the leases of settled agents back."""
    concerned = RollbackTarget.objects.filter(among("agent_id", changed), rollback=rollback)
    release(rollback.topic, _ids(concerned.exclude(state="offered")))
    if rollback.rollout is None:
        return
    targets.take_back(rollback.rollout, _ids(concerned.filter(state="confirmed")))
    recount(rollback.rollout.phases.all(), now)


def _ids(rows: QuerySet[RollbackTarget]) -> list[int]:
    return list(rows.values_list("agent_id", flat=True))


def _finish_if_done(rollback: Rollback, now: datetime) -> None:
    counts = rollback.counts
    if counts["waiting"] or counts["outstanding"]:
        return
    bad = counts["failed"] + counts["timed_out"] + counts["no_version"] + counts["skipped"]
    act = "rollback_incomplete" if bad else "rollback_done"
    rollback.counts = {**counts, **durations(rollback)}
    cause = Cause(SYSTEM, now, _note(rollback), {"counts": rollback.counts})
    change_rollback(
        rollback,
        act,
        cause,
        finished_at=now,
        counts=rollback.counts,
        next_tick_at=now + timedelta(seconds=LOOK_LATE_S) if bad or counts["offline"] else None,
    )
    if not counts["offline"] and not bad:
        release_topic(rollback.topic)
    release(rollback.topic)
    if rollback.rollout is not None:
        act = "rollback_incomplete" if bad else "rolled_back"
        _close(rollback.rollout, act, cause)


def _close(rollout: Rollout, act: str, cause: Cause) -> None:
    """End the rollout that came back: phases, agents, its last line."""
    for phase in rollout.phases.exclude(started_at=None).order_by("index"):
        if phase.state not in {PhaseState.FAILED, PhaseState.ROLLED_BACK}:
            change_phase(rollout, phase, "phase_rolled_back", cause, finished_at=cause.now)
    Target.objects.filter(rollout=rollout, active=True).update(active=False)
    release_topic(rollout.topic)
    news.take(rollout.topic)  # what came for the rollout itself since it turned round
    change_rollout(rollout, act, cause, finished_at=cause.now)
    settle_why(rollout, cause.reason)


def _late(rollback: Rollback, now: datetime) -> None:
    """A straggler came back after the end: when it was the last one, the rollback is complete."""
    counts = rollback.counts
    bad = counts["failed"] + counts["timed_out"] + counts["no_version"] + counts["skipped"]
    cause = Cause(SYSTEM, now, _note(rollback), {"counts": counts})
    if not bad and rollback.state == RollbackState.INCOMPLETE:
        change_rollback(rollback, "rollback_done", cause)
        if rollback.rollout and rollback.rollout.state == RolloutState.ROLLBACK_INCOMPLETE:
            change_rollout(rollback.rollout, "stragglers_back", cause)
    if rollback.rollout is not None:
        settle_why(rollback.rollout, cause.reason)


def _note(rollback: Rollback) -> Text:
    """Say how it went in one sentence, stragglers included."""
    counts = rollback.counts
    stragglers = ("offline", "failed", "timed_out", "no_version", "skipped")
    return text(
        "wave.outcome",
        confirmed=counts["confirmed"],
        agents=agents(counts["targets"]),
        **{name: counts[name] for name in stragglers},
    )


def _say(rollback: Rollback) -> None:
    rollout = rollback.rollout
    if rollout is None or rollout.state != RolloutState.ROLLING_BACK:
        return
    counts = rollback.counts
    goal = goal_of(rollout)
    line = rolling_back(counts["confirmed"], counts["targets"], goal).to_dict()
    if line != rollout.why:
        rollout.why = line
        rollout.save(update_fields=["why"])
