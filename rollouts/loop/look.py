"""One look at one rollout: bring its rows up to date, decide, carry it out or wait.

Costs what changed: news of agents since the last look, deadlines that passed, a few small queries.
The caller holds the lock of the rollout's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef

from accounts.actor import SYSTEM
from agents import news
from agents.models import Desired
from console.lib import hints
from console.lib.sql import without
from rollouts.apply import Cause, write_event
from rollouts.delivering import targets
from rollouts.delivering.counts import recount, recount_sick
from rollouts.delivering.offer import Offered, offer
from rollouts.ending import settle_why
from rollouts.engine import tally
from rollouts.engine.decide import Act, Code, Decision, decide, sent
from rollouts.engine.evidence import shown
from rollouts.engine.facts import Counts, GateFacts, RolloutFacts
from rollouts.engine.states import BEGUN_PHASES, FINAL_STATES, PhaseState, RolloutState
from rollouts.engine.why import why
from rollouts.limits.budget import release_settled
from rollouts.loop.carry_out import Step, carry_out
from rollouts.loop.load import load_facts
from rollouts.models import Phase, Rollout, Target
from rollouts.sql.moments import keep

CREDIT_S = 15.0  # the most that one look counts as watched time, however long nobody looked
GAP_S = (
    30.0  # deadlines move along when nobody looked for so long, or the clock was set back so far
)
CATCH_UP_S = 5.0
LATE_LOOK_S = 10.0
LATE = timedelta(days=7)
STEPS_AT_ONCE = 24
# After these a rollout stands where its why line says: nothing more is done in the same transaction.
STANDS = frozenset({Act.WAIT, Act.START_PHASE, Act.ROLL_BACK, Act.SUCCEED})
JITTER_S = 1.5


def look_on(rollout: Rollout, now: datetime) -> None:
    """Let a rollout go on up to where it has to wait, in the caller's transaction: what others see
    of it is always a state that its why line tells of, never one between two steps."""
    for _ in range(STEPS_AT_ONCE):
        if look(rollout, now).act in STANDS:
            return


def look(rollout: Rollout, now: datetime) -> Decision:
    """Take the rollout one decision further, and return that decision."""
    if rollout.state in FINAL_STATES:
        _look_late(rollout, list(rollout.phases.order_by("index")), now)
        keep(rollout, now)
        return Decision(Act.WAIT, Code.FINISHED)
    seen = see(rollout, now)
    decision = decide(seen.facts, now)
    go_on(rollout, seen, decision, now)
    keep(rollout, now)
    return decision


@dataclass(frozen=True, slots=True)
class Sight:
    """A rollout as it is seen in one look: its rows, brought up to date, the facts read from them,
    and what was counted before."""

    phases: list[Phase]
    facts: RolloutFacts
    before: list[dict[str, Any]]


def see(rollout: Rollout, now: datetime) -> Sight:
    """Bring the rows of a rollout up to date and read the facts, once for a look or an act."""
    phases = list(rollout.phases.order_by("index"))
    before = [dict(phase.counts) for phase in phases]
    _update(rollout, phases, now)
    return Sight(phases, load_facts(rollout, phases, now), before)


def go_on(rollout: Rollout, seen: Sight, decision: Decision, now: datetime) -> None:
    """Carry a decision out: its transition, what it lets be sent, and the why line."""
    phases, facts = seen.phases, seen.facts
    _mark_gates(rollout, facts, now)
    if decision.act is not Act.WAIT:
        carry_out(Step(rollout, phases, facts, decision, now))
    if decision.act not in {Act.WAIT, Act.START_PHASE}:
        _save(rollout, looked_at=now, tick_error="")
        return
    offered = _offer(rollout, phases, facts, decision, now)
    if offered.count or offered.held_by or decision.act is Act.START_PHASE:
        facts = _after(facts, phases, offered, now)
        decision = sent(decision, facts, offered.count)
    has_news = seen.before != [phase.counts for phase in phases] or _is_read(rollout, facts)
    _wait(rollout, why(facts, decision, now).to_dict(), decision, now)
    if has_news:
        transaction.on_commit(lambda: hints.mark_dirty(rollout.topic, "fleet"))


def _is_read(rollout: Rollout, facts: RolloutFacts) -> bool:
    """Whether a gate was read since the last look: pages show readings as this look saw them."""
    read = [gate.at for gate in facts.gates if gate.at is not None]
    return bool(read) and (rollout.looked_at is None or max(read) > rollout.looked_at)


def _after(
    facts: RolloutFacts, phases: Sequence[Phase], offered: Offered, now: datetime
) -> RolloutFacts:
    """Return the facts with the phases as the sending left them, without reading again."""
    rows = {phase.index: phase for phase in phases}
    known = []
    for phase in facts.phases:
        counts = Counts.from_dict(rows[phase.index].counts)
        due = phase.oldest_due_at
        if due is None and counts.outstanding:
            due = now + timedelta(seconds=phase.spec.pace.apply_timeout_s)
        state = PhaseState(rows[phase.index].state)
        known.append(replace(phase, state=state, counts=counts, oldest_due_at=due))
    return replace(facts, phases=tuple(known), budget_note=offered.held_by)


def _update(rollout: Rollout, phases: Sequence[Phase], now: datetime) -> None:
    """Carry news, silence and the passing of time into targets, counts and watched time."""
    gap_s = _gap_s(rollout, now)
    if abs(gap_s) > GAP_S:
        targets.extend_deadlines(rollout, gap_s)
    changed = news.take(rollout.topic)
    touched = targets.observe(rollout, changed, now)
    if touched or any(phase.counts.get("outstanding") for phase in phases):
        touched |= targets.time_out(rollout, now)[1]
    if any(phase.counts.get("gone") for phase in phases):
        touched |= targets.lose(rollout, now)
    if some_lost := [phase.pk for phase in phases if phase.counts.get("lost")]:
        touched |= targets.steady_again(rollout, some_lost, now)
    touched |= _catch_up(rollout, phases, now)
    before = tally.total([Counts.from_dict(phase.counts) for phase in phases])
    recount([phase for phase in phases if phase.pk in touched], now)
    _note_turns(rollout, before, phases, now)
    recount_sick([phase for phase in phases if phase.pk not in touched], now)
    if touched:
        release_settled(rollout.pk, rollout.topic)
    _credit(rollout, phases, max(0.0, min(gap_s, CREDIT_S)))


def _note_turns(rollout: Rollout, before: Counts, phases: Sequence[Phase], now: datetime) -> None:
    """Write one event for agents that left the version by themselves, and for those that are lost."""
    after = tally.total([Counts.from_dict(phase.counts) for phase in phases])
    for act, more in (
        ("fell_back", after.fell_back - before.fell_back),
        ("lost", after.lost - before.lost),
    ):
        if more > 0:
            write_event(rollout, act, Cause(SYSTEM, now, inputs={"agents": more}))


def _gap_s(rollout: Rollout, now: datetime) -> float:
    """Seconds since the last look; negative when the clock was set back."""
    return (now - rollout.looked_at).total_seconds() if rollout.looked_at is not None else 0.0


def _catch_up(rollout: Rollout, phases: Sequence[Phase], now: datetime) -> set[int]:
    """From time to time, look which waiting targets of begun phases are connected now."""
    since = now - (rollout.caught_up_at or datetime.min.replace(tzinfo=now.tzinfo))
    due = not timedelta() <= since < timedelta(seconds=CATCH_UP_S)
    begun = [p.pk for p in phases if p.state in BEGUN_PHASES and p.counts.get("waiting")]
    if not due or not begun:
        return set()
    _save(rollout, caught_up_at=now)
    return targets.see_connections(begun)


def _credit(rollout: Rollout, phases: Sequence[Phase], watched_s: float) -> None:
    """Count watched time: of the phase that is observed, or of the bake."""
    if rollout.state == RolloutState.COMPLETING:
        _save(rollout, baked_s=rollout.baked_s + watched_s)
    if rollout.state != RolloutState.RUNNING:
        return
    for phase in phases:
        if phase.state == PhaseState.OBSERVING:
            phase.observed_s += watched_s
            phase.save(update_fields=["observed_s"])


def _offer(
    rollout: Rollout,
    phases: Sequence[Phase],
    facts: RolloutFacts,
    decision: Decision,
    now: datetime,
) -> Offered:
    """Send what may be sent now: to the current phase, and to returning targets of begun ones."""
    limit, lanes = decision.offer, []
    if decision.offer:
        lanes = [phase for phase in phases if phase.index == decision.phase]
    elif decision.catch_up and not facts.is_frozen:
        # The phase that is being sent has a room of its own, which is full or has nobody ready.
        lanes = [
            phase
            for phase in phases
            if phase.state in BEGUN_PHASES - {PhaseState.DEPLOYING} and _has_ready(phase, facts)
        ]
        flying = sum(phase.counts.get("outstanding", 0) for phase in lanes)
        room = max((int(p.spec["pace"]["max_in_flight"]) for p in lanes), default=0)
        limit = room * max(1, facts.gateways) - flying
    if not lanes:
        return Offered()
    offered = offer(rollout, lanes, limit, now)
    if offered.count:
        recount(lanes, now)
    return offered


def _has_ready(phase: Phase, facts: RolloutFacts) -> bool:
    return next(p for p in facts.phases if p.index == phase.index).counts.ready > 0


def _mark_gates(rollout: Rollout, facts: RolloutFacts, now: datetime) -> None:
    """Write one event when a gate becomes amber or red, and one when it is calm again."""
    marks = {gate.gate: _mark(gate) for gate in facts.gates if _mark(gate)}
    if marks == rollout.gate_marks:
        return
    gates = {gate.gate: gate for gate in facts.gates}
    watched = next((p.name for p in facts.phases if p.index == facts.watched), "")
    for name in sorted(marks.keys() | rollout.gate_marks.keys()):
        gate, mark = gates.get(name), marks.get(name, "")
        if gate is None or mark == rollout.gate_marks.get(name, ""):
            continue
        cause = Cause(SYSTEM, now, gate.sentence, {"gate": shown(gate)})
        write_event(rollout, f"gate_{mark or 'calm'}", cause, phase=watched)
    _save(rollout, gate_marks=marks)


def _mark(gate: GateFacts) -> str:
    if gate.firing:
        return "notify" if gate.action == "notify" else "critical"
    return gate.level.value if gate.level != "none" else ""


def _wait(rollout: Rollout, line: dict[str, Any], decision: Decision, now: datetime) -> None:
    """Store when to look again, and the why line when it says something else than before."""
    fields: dict[str, Any] = {
        "looked_at": now,
        "tick_error": "",
        "next_tick_at": now + timedelta(seconds=decision.look_in_s),
    }
    if rollout.state == RolloutState.ROLLING_BACK:
        fields = {"looked_at": now, "next_tick_at": None}
    elif not _says_the_same(rollout.why, line):
        fields["why"] = line
        transaction.on_commit(lambda: hints.mark_dirty(rollout.topic, "rollouts"))
    if not decision.look_in_s:
        # A loop goes on by itself; after the act of a person this starts one.
        transaction.on_commit(lambda: hints.publish(hints.NEWS, rollout.topic))
    _save(rollout, **fields)


def _says_the_same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Compare two lines; a deadline that is computed anew each time moves by fractions."""
    if {**old, "deadline": None} != {**new, "deadline": None}:
        return False
    if not old.get("deadline") or not new.get("deadline"):
        return bool(old.get("deadline") == new.get("deadline"))
    moved = datetime.fromisoformat(new["deadline"]) - datetime.fromisoformat(old["deadline"])
    return abs(moved.total_seconds()) < JITTER_S


def _look_late(rollout: Rollout, phases: Sequence[Phase], now: datetime) -> None:
    """After the end: agents that were away report that they have the version now."""
    changed = news.take(rollout.topic)
    touched = targets.observe(rollout, changed, now)
    late = Target.objects.filter(rollout=rollout, state="offered")
    # Some other rollout wants something else of them now: they are no longer ours to wait for.
    ours = Desired.objects.filter(agent=OuterRef("agent_id"), topic=rollout.topic)
    gone = dict(late.filter(without(ours)).values_list("agent_id", "phase_id"))
    touched |= set(gone.values())
    targets.skip(rollout, gone.keys(), targets.TAKEN_OVER)
    recount([phase for phase in phases if phase.pk in touched], now)
    if touched:
        settle_why(rollout)
    over = rollout.finished_at is not None and now - rollout.finished_at > LATE
    wants_more = not over and late.exists()
    _save(
        rollout,
        looked_at=now,
        next_tick_at=now + timedelta(seconds=LATE_LOOK_S) if wants_more else None,
    )


def _save(rollout: Rollout, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(rollout, name, value)
    rollout.save(update_fields=list(fields))
