"""Roll back agents chosen by a selector: to their previous version, a version, or a hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM, Actor, named
from accounts.policy import require
from agents.actions.quarantine import quarantine
from agents.models import Agent, Quarantine
from agents.selectors.grammar import parse, to_text
from console.lib.database import locks
from console.lib.problems import FieldError, Refused, Stale
from console.lib.texts import Text, also, text, to_column
from rollouts.apply import Cause, change_rollout, write_event
from rollouts.checks import needs_reason
from rollouts.delivering import targets
from rollouts.delivering.counts import recount
from rollouts.engine.states import RolloutState
from rollouts.models import Rollback, RollbackTarget, Rollout, Target
from rollouts.rollback.by_selector import goal, ways_back
from rollouts.rollback.preview import WaysPreview, counted, matching, on_their_way
from rollouts.rollback.targets import WayBack, batch_size

SELECTOR_LOCK = 0x7469_7262


def rollback_selector(
    *,
    selector: str,
    to: str | int = "previous",
    config: str | None = None,
    by: Actor,
    reason: str,
    method: str = "immediate",
    seen_count: int | None = None,
    seen_preview: str | None = None,
    now: datetime | None = None,
) -> Rollback:
    """Begin a way back for every matching agent; the rollback loop delivers and verifies it.

    Agents of a running rollout are taken out of it, and that rollout pauses; agents that a rollback
    brings back already are left to it. `seen_count` and `seen_preview` (`WaysPreview.digest`) are what
    the person saw: when it is another number, or other versions, by now, nothing is done. Raises
    Invalid, Denied, Missing, Refused, Stale. Locks the rollouts concerned, by primary key, then
    orders rollbacks by selector by a lock of their own.
    """
    require(by, "rollouts.rollback")
    reason, now = needs_reason(reason, text("reason.rolling_back")), now or timezone.now()
    wanted = to_text(parse(selector))
    with transaction.atomic():
        found = matching(wanted, by)
        ids = list(found)
        to_hash = goal(to, config, ids)
        _take_from_rollouts(ids, by, reason, now)
        # Of two calls at once the second waits here, and finds what the first one wrote.
        locks.wait_for(SELECTOR_LOCK)
        held = on_their_way(ids)
        ways = ways_back([pk for pk in ids if pk not in held], to_hash)
        _as_seen(counted(wanted, found, ways, held), seen_count, seen_preview)
        if not any(way.to_hash for way in ways):
            if held:
                raise Refused(_held_by(held), code="busy")
            raise Refused(_nothing(ways, len(ids)), code="nothing_to_do")
        rollback = Rollback.objects.create(
            kind=Rollback.Kind.SELECTOR,
            method=method,
            selector=wanted,
            to=to_hash or "previous",
            reason=reason,
            requested_by=by.user,
            requested_by_name=by.name,
            decided_at=now,
            next_tick_at=now,
            looked_at=now,
        )
        _keep(rollback, ways)
        _quarantine(rollback, ways, reason, now)
        inputs = {"selector": wanted, "to": str(to), "agents": len(ways), "left_out": len(held)}
        write_event(None, "roll_back", Cause(by, now, reason, inputs), rollback=rollback)
    return rollback


def _as_seen(now: WaysPreview, count: int | None, digest: str | None) -> None:
    """Raise Stale when other agents would go back than the person saw."""
    if count is not None and count != now.agents:
        says = text("rollback.count_changed", seen=count, now=now.agents)
        raise Stale(says, code="count_changed", errors=[FieldError("count", says)])
    if digest and digest != now.digest:
        says = text("rollback.moves_changed", now=now.agents)
        raise Stale(says, code="count_changed", errors=[FieldError("seen_preview", says)])


def _held_by(held: Mapping[int, str]) -> Text:
    return text("rollback.on_their_way", agents=len(held), names=sorted(set(held.values())))


def _nothing(ways: Sequence[WayBack], matched: int) -> Text:
    """Say why nobody can go back."""
    problems = {to_column(way.problem): way.problem for way in ways}
    if any(problems.values()):
        return text("rollback.none_can", agents=matched, problems=also(problems.values()))
    return text("rollback.nothing_before", agents=matched)


def _keep(rollback: Rollback, ways: Sequence[WayBack]) -> None:
    size = batch_size(len(ways)) if rollback.method == Rollback.Method.GRADUAL else len(ways)
    connected = set(
        Agent.objects.filter(
            pk__in=[way.agent_id for way in ways], status__connected=True
        ).values_list("pk", flat=True)
    )
    RollbackTarget.objects.bulk_create(
        (
            RollbackTarget(
                rollback=rollback,
                agent_id=way.agent_id,
                wave=place // size + 1,
                from_hash=way.from_hash[:64],
                to_hash=way.to_hash,
                state="waiting" if way.to_hash else "no_version",
                online=way.agent_id in connected,
                error=way.problem,
            )
            for place, way in enumerate(ways)
        ),
        batch_size=5000,
    )


def _quarantine(rollback: Rollback, ways: Sequence[WayBack], reason: str, now: datetime) -> None:
    """What is rolled back is not offered to these agents again until a person lifts it."""
    by_hash: dict[str, list[int]] = {}
    for way in ways:
        if way.to_hash and way.from_hash and way.from_hash != way.to_hash:
            by_hash.setdefault(way.from_hash, []).append(way.agent_id)
    for config_hash, agent_ids in sorted(by_hash.items()):
        quarantine(
            config_hash=config_hash,
            agent_ids=agent_ids,
            outcome=Quarantine.Outcome.ROLLED_BACK,
            by=SYSTEM,
            reason=text(
                "rollback.quarantines", by=named(rollback.requested_by_name), reason=reason
            ),
            cause=rollback.topic,
            now=now,
        )


def _take_from_rollouts(agent_ids: Sequence[int], by: Actor, reason: str, now: datetime) -> None:
    """Take these agents out of the rollouts that hold them, and pause those; what is on its way back
    already stays there."""
    holders = Target.objects.filter(active=True, agent_id__in=agent_ids).values("rollout_id")
    rollouts = Rollout.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=holders)
    for rollout in rollouts.exclude(state=RolloutState.ROLLING_BACK).order_by("pk"):
        mine = Target.objects.filter(rollout=rollout, active=True, agent_id__in=agent_ids)
        taken = targets.take_back(
            rollout,
            list(mine.values_list("agent_id", flat=True)),
            active=False,
            error=text("rollback.taken_out"),
        )
        recount(rollout.phases.all(), now)
        why = text("rollback.took", agents=taken, reason=reason)
        cause = Cause(by, now, why, {"agents": taken})
        if rollout.state in {RolloutState.RUNNING, RolloutState.COMPLETING}:
            change_rollout(
                rollout,
                "pause",
                cause,
                paused_by_name=by.name,
                pause_reason=why,
            )
        else:
            write_event(rollout, "agents_taken", cause)
