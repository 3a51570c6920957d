"""The why line: one sentence of state, one of what happens next, and when (ui.md 4.6). Pure.

Made from the same facts and decision, stored with the rollout when it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from rollouts.engine.decide import Code, Decision, unseen
from rollouts.engine.facts import (
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
    """`tone` is a status token of the stylesheet: run, ok, warn, bad, wait or off. `deadline` is
    ISO 8601 or None."""

    say: str
    next: str
    tone: str
    code: str
    deadline: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def why(facts: RolloutFacts, decision: Decision, now: datetime) -> Why:
    """Return the sentences for where the rollout stands after `decision`."""
    phase = next((p for p in facts.phases if p.index == decision.phase), facts.current)
    return _LINES[decision.code](facts, decision, phase, now)


def drafted() -> Why:
    """Return the line of a draft, which no decision has been made about."""
    return Why("Draft.", "Nothing is sent before somebody starts it.", "off", "draft")


def finished(
    state: RolloutState,
    counts: Counts,
    version: str,
    note: str = "",
    reason: str = "",
    *,
    only_silence: bool = False,
) -> Why:
    """Return the line of a rollout that is over. `reason`: why it was taken back, if it was; what
    was taken back is quarantined with it, unless agents were only silent."""
    on_new = f"{counts.on_new:,} of {counts.members:,} agents run {version}"
    if counts.bad and state not in {RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}:
        on_new = f"{on_new}; {failures(counts)}"
    late = counts.members - counts.settled - counts.skipped - counts.rolled_back
    left = ""
    if late:
        left = f" {agents(late)} offline; {'it gets' if late == 1 else 'they get'} it on return."
    say, tone = {
        RolloutState.SUCCEEDED: (f"Completed. {on_new}.{left}", "ok"),
        RolloutState.ROLLED_BACK: (f"Rolled back. {note}".strip(), "off"),
        RolloutState.ROLLBACK_INCOMPLETE: (f"Rollback incomplete. {note}".strip(), "bad"),
        RolloutState.ABORTED: (f"Stopped and left as it is. {on_new}.", "off"),
        RolloutState.SUPERSEDED: (f"Superseded. {on_new}. {note}".strip(), "off"),
    }[state]
    then = "Nothing more happens by itself."
    if state in {RolloutState.ROLLED_BACK, RolloutState.ROLLBACK_INCOMPLETE}:
        then = f"{version} is quarantined: it is offered again only when a person lifts that."
        if only_silence:
            then = f"Agents were silent or lost it, none refused it: {version} is not quarantined."
    because = f"Reason: {reason.rstrip('.')}. " if reason else ""
    return Why(say, f"{because}{then}", tone, Code.FINISHED.value)


def rolling_back(back: int, of: int, to: str) -> Why:
    """Return the line while a rollback runs."""
    return Why(
        f"Rolling back {back:,} of {of:,} agents to {to}.",
        "Each agent is verified by the hash it reports.",
        "bad",
        Code.ROLLING_BACK.value,
    )


_Line = Callable[[RolloutFacts, Decision, PhaseFacts | None, datetime], Why]


def _name(phase: PhaseFacts | None) -> str:
    return phase.name if phase is not None else "the rollout"


def _following(facts: RolloutFacts, phase: PhaseFacts | None) -> str:
    """Say what comes after a phase."""
    later = [p for p in facts.phases if phase is not None and p.index > phase.index]
    if not later:
        return "the rollout bakes, with rollback armed"
    if later[0].manual:
        return f"{later[0].name} asks for approval"
    return f"{later[0].name} starts"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _starting(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why("Starting.", "The first phase starts.", "run", d.code.value)


def _scheduled(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(
        "Scheduled.", "It starts at the time given.", "wait", d.code.value, _iso(facts.start_at)
    )


def _queued(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    held = " and ".join(
        f"{b.number} to finish" if b.same_config else f"{b.number} to release {agents(b.agents)}"
        for b in facts.blockers
    )
    return Why(f"Waiting for {held}.", "It starts by itself then.", "wait", d.code.value)


def _not_ready(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(
        f"Not started: {' '.join(facts.readiness_blocks)}",
        "It is looked at again every 30 s; abort it if this will not change.",
        "bad",
        d.code.value,
    )


def _sending(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    return Why(
        f"Sending to {_name(phase)}: {counts.offered:,} of {counts.members:,} offered.",
        "Each agent confirms by itself.",
        "run",
        d.code.value,
    )


def _budget(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    return Why(
        f"Sending to {_name(phase)}: {counts.offered:,} of {counts.members:,} offered. "
        f"Held by {facts.budget_note}.",
        "More is sent as agents settle.",
        "wait",
        d.code.value,
    )


def _confirming(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    counts = phase.counts if phase is not None else Counts()
    due = phase.oldest_due_at if phase is not None else None
    return Why(
        f"Waiting for {agents(counts.outstanding)} of {_name(phase)} to answer: "
        f"{_run(counts, facts)} now{_apart(failures(counts))}.",
        "An agent that stays silent counts as timed out.",
        "run",
        d.code.value,
        _iso(due),
    )


def _quorum(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    if phase is None:
        counts, share = total([p.counts for p in facts.judged]), facts.plan.pace.quorum
    else:
        counts, share = phase.counts, phase.spec.pace.quorum
    if not counts.left:
        return Why(
            f"Holding: no agent is left in {_name(phase)}. {agents(counts.skipped)} skipped, "
            f"{counts.rolled_back:,} rolled back.",
            "Nothing proves the version good here: roll back, abort, or advance it by hand.",
            "warn",
            d.code.value,
        )
    if not counts.expected:
        return Why(
            f"Holding: {agents(counts.away)} of {_name(phase)}, all of them away.",
            "It goes on when agents return, or when a person advances it.",
            "wait",
            d.code.value,
        )
    return Why(
        f"Holding: of {_name(phase)}, {_run(counts, facts)} now; {share:.0%} are needed"
        f"{_apart(not_on_new(counts))}.",
        "It goes on when enough agents run it, or when a person advances it."
        if phase is not None
        else "It completes when enough agents run it; else roll back or abort it.",
        "wait",
        d.code.value,
    )


def _run(counts: Counts, facts: RolloutFacts) -> str:
    version = facts.version or "it"
    return f"{counts.on_new:,} of {counts.expected:,} run {version}"


def _apart(told: str) -> str:
    return f"; {told}" if told else ""


def _observing(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    left = phase.spec.duration_s - phase.observed_s if phase is not None else 0.0
    ends = _iso(now + timedelta(seconds=max(0.0, left)))
    failing = next((gate for gate in facts.gates if _fails_so_far(gate)), None)
    if failing is not None:
        does = "comes back" if facts.plan.rollback.enabled else "pauses"
        return Why(
            f"Observing {_name(phase)}. {failing.sentence}",
            f"If that is so at the end of the window, the rollout {does}.",
            "warn",
            d.code.value,
            ends,
        )
    seen = [gate for gate in facts.gates if not gate.is_unseen]
    gates, passing = len(seen), sum(gate.passes for gate in seen)
    said = f"{passing} of {gates} gates pass so far." if gates else "No gate has data."
    if missing := unseen(facts.gates):
        said = f"{said} {missing[:1].upper()}{missing[1:]}."
    return Why(
        f"Observing {_name(phase)}. {said}",
        f"If all gates pass, {_following(facts, phase)}.",
        "run",
        d.code.value,
        ends,
    )


def _fails_so_far(gate: GateFacts) -> bool:
    """Whether a criterion fails on the readings so far; it is decided at the end of its window."""
    is_failing = gate.verdict is Verdict.FAIL and not gate.is_silenced
    return is_failing and gate.kind is GateKind.CRITERION


def _warning(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else "A gate is at its warning level."
    return Why(
        f"Holding: {sentence}", "It goes on when the gate is calm again.", "warn", d.code.value
    )


def _failing(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else d.reason
    return Why(sentence, "The rollout comes back.", "bad", d.code.value)


def _no_data(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    gate = d.gate
    if gate is None:
        return Why("Holding: a gate has no data.", "", "warn", d.code.value)
    if gate.no_data_since is not None:
        return Why(
            f"Holding: {gate.sentence or gate.title + ' has no data.'} No data is never good.",
            "It goes on when data return, or when a person counts it as passed.",
            "warn",
            d.code.value,
        )
    return Why(
        f"Holding: {gate.sentence or gate.title + ' has too few readings.'}",
        "It goes on when there are enough readings.",
        "warn",
        d.code.value,
    )


def _approval(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    waiting = phase.counts.members if phase is not None else 0
    expires = phase.approval.expires_at if phase is not None else None
    return Why(
        f"{_name(phase).capitalize()} needs approval. {agents(waiting)} "
        f"{'waits' if waiting == 1 else 'wait'}.",
        "It starts when an approver other than its author and starter approves.",
        "wait",
        d.code.value,
        _iso(expires),
    )


def _withdrawn(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    sentence = d.gate.sentence if d.gate is not None else "A gate is red."
    return Why(
        f"{_name(phase).capitalize()} cannot be approved now. {sentence}",
        "Approval is asked again when the gate is calm.",
        "warn",
        d.code.value,
    )


def _frozen(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why(
        f"Outside the maintenance window: {phase.frozen_by if phase is not None else ''}.",
        f"{_name(phase).capitalize()} goes on afterwards. Rollbacks are not held.",
        "wait",
        d.code.value,
        _iso(phase.frozen_until if phase is not None else None),
    )


def _paused(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    reason = f": {facts.pause_reason}" if facts.pause_reason else ""
    return Why(
        f"Paused by {facts.paused_by or 'system'}{reason}",
        "Nothing more is sent. Guards keep watching. Resume, roll back or abort it.",
        "wait",
        d.code.value,
    )


def _unwell(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    unsure = sum(p.counts.unsure for p in facts.phases)
    return Why(
        f"Holding: {agents(unsure)} reported bad health just after the change.",
        "It counts when it lasts longer than the plan's health_grace.",
        "warn",
        d.code.value,
    )


def _baking(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    left = max(0.0, facts.plan.bake_s - facts.baked_s)
    return Why(
        "Every phase passed. Watching a little longer, with rollback armed.",
        "It completes if no guard fires.",
        "run",
        d.code.value,
        _iso(now + timedelta(seconds=left)),
    )


def _rolling(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return rolling_back(0, facts.touched, facts.previous or "what they ran before")


def _over(facts: RolloutFacts, d: Decision, phase: PhaseFacts | None, now: datetime) -> Why:
    return Why("Finished.", "Nothing more happens by itself.", "off", d.code.value)


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
