"""The why line: one sentence of state, one of what happens next, and when (ui.md 4.6). Pure.

Made from the same facts and decision, stored with the rollout when it changes. Which words and which
tone a text has is said in `console.words.why`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.lib.texts import Text, in_line, text
from rollouts.engine.decide import Code, Decision, unseen
from rollouts.engine.facts import (
    REJECTED,
    Counts,
    GateFacts,
    GateKind,
    PhaseFacts,
    RolloutFacts,
    Verdict,
)
from rollouts.engine.states import RolloutState
from rollouts.engine.tally import agents, failures, not_on_new, total


@dataclass(frozen=True, slots=True)
class Why:
    """What is said, what comes next (None when nothing does), and for scripts the `code` of the
    decision. `deadline` is ISO 8601 or None."""

    code: str
    say: Text
    next: Text | None
    deadline: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, as rollouts keep it."""
        return {
            "say": self.say.to_json(),
            "next": self.next.to_json() if self.next is not None else "",
            "code": self.code,
            "deadline": self.deadline,
        }


def why(facts: RolloutFacts, decision: Decision, now: datetime) -> Why:
    """Return the line for where the rollout stands after `decision`."""
    phase = next((p for p in facts.phases if p.index == decision.phase), facts.current)
    return _LINES[decision.code](facts, decision, phase, now)


def drafted() -> Why:
    """Return the line of a draft, which no decision has been made about."""
    return Why("draft", text("why.draft"), text("why.draft.next"))


def discarded() -> Why:
    """Return the line of a draft that was given up."""
    return Why(Code.FINISHED.value, text("why.discarded"), text("why.over.next"))


_ENDS = {
    RolloutState.SUCCEEDED: "why.completed",
    RolloutState.ROLLED_BACK: "why.rolled_back",
    RolloutState.ROLLBACK_INCOMPLETE: "why.rollback_incomplete",
    RolloutState.ABORTED: "why.stopped",
    RolloutState.SUPERSEDED: "why.superseded",
}
_CAME_BACK = {RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}


def finished(
    state: RolloutState,
    counts: Counts,
    version: str,
    note: Text | str = "",
    reason: Text | str = "",
    *,
    only_silence: bool = False,
) -> Why:
    """Return the line of a rollout that is over. `reason`: why it was taken back, if it was; what
    was taken back is quarantined with it, unless agents were only silent."""
    say = Text(
        _ENDS[state],
        {
            "on_new": counts.on_new,
            "members": counts.members,
            "version": version,
            "failures": failures(counts),
            "late": counts.members - counts.settled - counts.skipped - counts.rolled_back,
            "note": note,
        },
    )
    then = text("why.over.next")
    if state in _CAME_BACK:
        then = text("why.quarantined.next", version=version)
        if only_silence:
            then = text("why.only_silence.next", version=version)
    if reason:
        then = text("why.because", reason=reason, then=then)
    return Why(Code.FINISHED.value, say, then)


def rolling_back(back: int, of: int, to: Text | str) -> Why:
    """Return the line while a rollback runs."""
    say = text("why.rolling_back", back=back, of=of, to=to)
    return Why(Code.ROLLING_BACK.value, say, text("why.rolling_back.next"))


def before(previous: str) -> Text | str:
    """Return what agents go back to: the version, or what each of them ran."""
    return previous or text("why.what_they_ran")


_Line = Callable[[RolloutFacts, Decision, PhaseFacts | None, datetime], Why]


def _name(phase: PhaseFacts | None) -> Text | str:
    return phase.name if phase is not None else text("why.the_rollout")


def _following(facts: RolloutFacts, phase: PhaseFacts | None) -> Text:
    """Say what comes after a phase."""
    later = [p for p in facts.phases if phase is not None and p.index > phase.index]
    if not later:
        return text("why.if_all_pass.bakes")
    if later[0].manual:
        return text("why.if_all_pass.asks", phase=later[0].name)
    return text("why.if_all_pass.starts", phase=later[0].name)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _starting(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(d.code.value, text("why.starting"), text("why.starting.next"))


def _scheduled(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(
        d.code.value, text("why.scheduled"), text("why.scheduled.next"), _iso(facts.start_at)
    )


def _queued(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    held = [
        text("why.to_finish", number=b.number)
        if b.same_config
        else text("why.to_release", number=b.number, agents=agents(b.agents))
        for b in facts.blockers
    ]
    said: Text | str = ""
    for one in held:
        said = text("why.and", one=said, other=one) if said else one
    return Why(d.code.value, text("why.queued", held=said), text("why.queued.next"))


def _not_ready(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    blocks = in_line(facts.readiness_blocks)
    return Why(d.code.value, text("why.not_ready", blocks=blocks), text("why.not_ready.next"))


def _sending(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    say = text("why.sending", phase=_name(phase), offered=counts.offered, members=counts.members)
    return Why(d.code.value, say, text("why.sending.next"))


def _budget(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    say = text(
        "why.budget",
        phase=_name(phase),
        offered=counts.offered,
        members=counts.members,
        budget=facts.budget_note,
    )
    return Why(d.code.value, say, text("why.budget.next"))


def _confirming(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    due = phase.oldest_due_at if phase is not None else None
    say = text(
        "why.confirming",
        outstanding=agents(counts.outstanding),
        phase=_name(phase),
        run=_run(counts, facts),
        apart=_apart(failures(counts)),
    )
    return Why(d.code.value, say, text("why.confirming.next"), _iso(due))


def _quorum(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    if phase is None:
        counts, share = total([p.counts for p in facts.judged]), facts.plan.pace.quorum
    else:
        counts, share = phase.counts, phase.spec.pace.quorum
    if not counts.left:
        say = text(
            "why.nobody_left",
            phase=_name(phase),
            skipped=agents(counts.skipped),
            rolled_back=counts.rolled_back,
        )
        return Why(d.code.value, say, text("why.nobody_left.next"))
    if not counts.expected:
        say = text("why.all_away", away=agents(counts.away), phase=_name(phase))
        return Why(d.code.value, say, text("why.all_away.next"))
    say = text(
        "why.quorum",
        phase=_name(phase),
        run=_run(counts, facts),
        share=share,
        apart=_apart(not_on_new(counts)),
    )
    then = text("why.quorum.next") if phase is not None else text("why.quorum.next_of_all")
    return Why(d.code.value, say, then)


def _run(counts: Counts, facts: RolloutFacts) -> Text:
    version = facts.version or text("why.it")
    return text("why.run", on_new=counts.on_new, expected=counts.expected, version=version)


def _apart(told: list[Text]) -> Text | str:
    return text("why.apart", told=told) if told else ""


def _observing(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    left = phase.spec.duration_s - phase.observed_s if phase is not None else 0.0
    ends = _iso(now + timedelta(seconds=max(0.0, left)))
    failing = next((gate for gate in facts.gates if _fails_so_far(gate)), None)
    if failing is not None:
        say = text("why.failing_so_far", phase=_name(phase), gate=failing.sentence)
        then = text("why.failing_so_far.pauses")
        if facts.plan.rollback.enabled:
            then = text("why.failing_so_far.comes_back")
        return Why(d.code.value, say, then, ends)
    seen = [gate for gate in facts.gates if not gate.is_unseen]
    gates = [gate for gate in seen if gate.kind is GateKind.CRITERION]
    guards = [gate for gate in seen if gate.kind is not GateKind.CRITERION]
    say = text(
        "why.observing",
        phase=_name(phase),
        gates=len(gates),
        passing=sum(gate.passes for gate in gates),
        guards=len(guards),
        calm=sum(gate.passes for gate in guards),
        unseen=unseen(facts.gates) or "",
    )
    return Why(d.code.value, say, _following(facts, phase), ends)


def _fails_so_far(gate: GateFacts) -> bool:
    """Whether a criterion fails on the readings so far; it is decided at the end of its window."""
    is_failing = gate.verdict is Verdict.FAIL and not gate.is_silenced
    return is_failing and gate.kind is GateKind.CRITERION


def _warning(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else text("why.gate_warns")
    return Why(d.code.value, text("why.warning", gate=sentence), text("why.warning.next"))


def _failing(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else d.reason
    return Why(d.code.value, text("why.failing", gate=sentence), text("why.failing.next"))


def _no_data(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    gate = d.gate
    if gate is None:
        return Why(d.code.value, text("why.a_gate_silent"), None)
    if gate.no_data_since is not None:
        silent = gate.sentence or text("why.has_no_data", gate=gate.title)
        return Why(d.code.value, text("why.no_data", gate=silent), text("why.no_data.next"))
    few = gate.sentence or text("why.has_too_few", gate=gate.title)
    return Why(d.code.value, text("why.too_few", gate=few), text("why.too_few.next"))


def _approval(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    waiting = phase.counts.members if phase is not None else 0
    expires = phase.approval.expires_at if phase is not None else None
    say = text("why.approval", phase=_name(phase), waiting=waiting)
    return Why(d.code.value, say, text("why.approval.next"), _iso(expires))


def _withdrawn(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else text("why.gate_red")
    say = text("why.withdrawn", phase=_name(phase), gate=sentence)
    return Why(d.code.value, say, text("why.withdrawn.next"))


def _frozen(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(
        d.code.value,
        text("why.frozen", window=phase.frozen_by if phase is not None else ""),
        text("why.frozen.next", phase=_name(phase)),
        _iso(phase.frozen_until if phase is not None else None),
    )


def _paused(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    by, reason = facts.paused_by, facts.pause_reason
    say = text("why.paused", by=by, reason=reason)
    if isinstance(reason, Text) and reason.code == REJECTED:
        say = text("why.rejected", by=by, **reason.params)
    return Why(d.code.value, say, text("why.paused.next"))


def _unwell(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    unsure = sum(p.counts.unsure for p in facts.phases)
    return Why(d.code.value, text("why.unwell", agents=agents(unsure)), text("why.unwell.next"))


def _baking(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    left = max(0.0, facts.plan.bake_s - facts.baked_s)
    ends = _iso(now + timedelta(seconds=left))
    return Why(d.code.value, text("why.baking"), text("why.baking.next"), ends)


def _rolling(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return rolling_back(0, facts.touched, before(facts.previous))


def _over(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(d.code.value, text("why.finished"), text("why.over.next"))


_LINES: dict[Code, _Line] = {
    Code.STARTING: _starting,
    Code.SCHEDULED: _scheduled,
    Code.QUEUED: _queued,
    Code.NOT_READY: _not_ready,
    Code.SENDING: _sending,
    Code.CONFIRMING: _confirming,
    Code.QUORUM: _quorum,
    Code.OBSERVING: _observing,
    Code.WARNING: _warning,
    Code.FAILING: _failing,
    Code.NO_DATA: _no_data,
    Code.APPROVAL: _approval,
    Code.WITHDRAWN: _withdrawn,
    Code.FROZEN: _frozen,
    Code.BUDGET: _budget,
    Code.PAUSED: _paused,
    Code.BAKING: _baking,
    Code.ROLLING_BACK: _rolling,
    Code.FINISHED: _over,
    Code.UNWELL: _unwell,
    Code.MOVING: _starting,
}
