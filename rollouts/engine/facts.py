"""What a decision is made from: frozen values, read once per tick. Pure.

Shares and rates are fractions 0 to 1, durations seconds, times aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from console.lib.texts import Text
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.plans.plan import PhaseSpec, Plan

REJECTED = "approve.rejected"  # code of the reason of a pause that a rejection made


class Verdict(StrEnum):
    """What a gate says. Only `pass` advances; there is no way to say "no data, so fine"."""

    PASS = "pass"  # noqa: S105  a verdict, not a secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    INSUFFICIENT = "insufficient"


class GateKind(StrEnum):
    CRITERION = "criterion"
    THRESHOLD = "threshold"
    TRIGGER = "trigger"
    FLOOR = "floor"


class Level(StrEnum):
    NONE = "none"
    WARNING = "warning"
    CRITICAL = "critical"


class GuardAction(StrEnum):
    """What a breach does. Criteria act at the end of the window, guards at once."""

    ROLLBACK = "rollback"
    PAUSE = "pause"
    NOTIFY = "notify"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class GateFacts:
    """One criterion, threshold or trigger with its latest readings, judged.

    `is_default`: a guard that every plan has. `value` is the newest reading, in `unit`; None when there is none; `low` and `high` bound it where
    it is an estimate. A `dry_run` gate is shown and never acts or holds. `limit` is the criterion's
    threshold or the critical level. `firing` is true when the gate acts now: a critical level, or a
    trigger that held for its `for`. `pending_since` is when a trigger's condition became true.
    """

    gate: str
    kind: GateKind
    metric: str
    title: Text | str
    verdict: Verdict
    unit: str = ""
    operator: str = ""
    limit: float | None = None
    warning_limit: float | None = None
    value: float | None = None
    level: Level = Level.NONE
    action: GuardAction = GuardAction.NONE
    firing: bool = False
    pending_since: datetime | None = None
    readings: int = 0
    failed_in_row: int = 0
    agents: int = 0
    samples: int = 0
    source: str = ""
    at: datetime | None = None
    no_data_since: datetime | None = None
    waived_by: str | None = None
    note: Text | str = ""
    query: Text | str = ""
    sentence: Text | str = ""
    low: float | None = None
    high: float | None = None
    dry_run: bool = False
    is_default: bool = False

    @property
    def is_silenced(self) -> bool:
        """Whether the gate has no say: a person waived it, or the plan only tries it out."""
        return self.waived_by is not None or self.dry_run

    @property
    def is_unseen(self) -> bool:
        """Whether it is a guard that every plan has and that has no data: it holds nothing up, and
        what nobody could see is said."""
        return self.is_default and self.verdict is Verdict.INSUFFICIENT and not self.firing

    @property
    def is_red(self) -> bool:
        """Whether the gate speaks against going on right now (a waiver silences it)."""
        return not self.is_silenced and (
            self.firing or self.level is not Level.NONE or self.verdict is Verdict.FAIL
        )

    @property
    def passes(self) -> bool:
        """Whether this gate lets the phase advance: its verdict is pass, or it has no say."""
        if self.is_silenced or self.is_unseen:
            return True
        return not self.firing and self.level is Level.NONE and self.verdict is Verdict.PASS


@dataclass(frozen=True, slots=True)
class Counts:
    """Targets of one phase by what is known of them (whole numbers).

    `offered` counts every target ever offered the version; `outstanding` those of them that have
    not settled and are not offline; `confirmed` those that gave their own word: it runs, it refused,
    it fell back; `by_effective` those of `applied` whose word is the effective config they show.
    `on_new` are connected and say now that they run the version; `gone` got it and do
    not say so now, for too short a time to be `lost`. `failed` refused it, `timed_out` said nothing.
    `unhealthy` are applied targets whose bad health counts (after `health_grace`), `mending` those of
    them that are well again, but not for long enough. `offline` are unsettled targets without a
    connection: the catch-up lane; `away` those of them who were gone before membership was frozen:
    nobody counts on them. `rolled_back` are back; the `back_...` of them had failed in that way before.
    """

    members: int = 0
    waiting: int = 0
    offered: int = 0
    outstanding: int = 0
    applied: int = 0
    by_effective: int = 0
    failed: int = 0
    timed_out: int = 0
    unhealthy: int = 0
    sick: int = 0
    mending: int = 0
    fell_back: int = 0
    lost: int = 0
    on_new: int = 0
    gone: int = 0
    offline: int = 0
    away: int = 0
    confirmed: int = 0
    skipped: int = 0
    rolled_back: int = 0
    back_failed: int = 0
    back_timed_out: int = 0
    back_fell_back: int = 0
    back_lost: int = 0

    @classmethod
    def from_dict(cls, data: Mapping[str, int]) -> Counts:
        """Read what a phase row keeps; missing keys are zero. A row of a version that did not ask who
        still runs it knows who had applied it."""
        found = {name: int(data.get(name, 0)) for name in cls.__slots__}
        found["on_new"] = int(data.get("on_new", found["applied"]))
        return cls(**found)

    @property
    def settled(self) -> int:
        return self.applied + self.failed_by_state

    @property
    def refused(self) -> int:
        """Targets that said FAILED."""
        return self.failed

    @property
    def silent(self) -> int:
        """Targets that said nothing in time."""
        return self.timed_out

    @property
    def failed_by_state(self) -> int:
        """Targets that do not run the version after they were offered it."""
        return self.failed + self.timed_out + self.fell_back + self.lost

    @property
    def bad(self) -> int:
        """Targets that count as failed, for whatever reason."""
        return self.failed_by_state + self.unhealthy

    @property
    def told(self) -> Counts:
        """The same for people: who failed and is back since counts with those who failed. Decisions
        are made without them."""
        return replace(
            self,
            failed=self.failed + self.back_failed,
            timed_out=self.timed_out + self.back_timed_out,
            fell_back=self.fell_back + self.back_fell_back,
            lost=self.lost + self.back_lost,
        )

    @property
    def unsure(self) -> int:
        """Targets that are unwell within their `health_grace`: nobody knows yet if it counts."""
        return max(0, self.sick + self.mending - self.unhealthy)

    @property
    def left(self) -> int:
        """Members that are still in the phase: not skipped, not taken back."""
        return max(0, self.members - self.skipped - self.rolled_back)

    @property
    def expected(self) -> int:
        """Members that a quorum is a share of: those left, without the away."""
        return max(0, self.left - self.away)

    @property
    def ready(self) -> int:
        """Targets that could be offered now: waiting and online."""
        return max(0, self.left - self.settled - self.outstanding - self.offline)


class ApprovalState(StrEnum):
    NONE = "none"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """The newest question about a phase. `stands` is false when what was shown has changed."""

    state: ApprovalState = ApprovalState.NONE
    asked_at: datetime | None = None
    expires_at: datetime | None = None
    decided_by: str = ""
    reason: Text | str = ""
    stands: bool = True


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """One phase. `observed_s` is the time the engine really watched, not what a clock says passed."""

    index: int
    name: str
    state: PhaseState
    manual: bool
    spec: PhaseSpec
    counts: Counts
    is_rest: bool = False
    started_at: datetime | None = None
    observed_s: float = 0.0
    oldest_due_at: datetime | None = None
    approval: ApprovalFacts = ApprovalFacts()
    advanced_by: str = ""
    frozen_until: datetime | None = None
    frozen_by: Text | str = ""

    @property
    def has_quorum(self) -> bool:
        """Whether enough members run the version now, by their own word (spec section 4, default
        90 %)."""
        return self._is_quorum(self.counts.on_new)

    @property
    def has_settled_quorum(self) -> bool:
        """Whether enough members are settled for the observation to begin."""
        return self._is_quorum(self.counts.settled)

    def _is_quorum(self, agents: int) -> bool:
        """A phase that nobody is left in proves nothing, so it has no quorum. Rounded against the
        noise of binary fractions (55 % of 20 is 11)."""
        expected = self.counts.expected
        return expected > 0 and agents >= round(self.spec.pace.quorum * expected, 6)


@dataclass(frozen=True, slots=True)
class Blocker:
    """Another rollout that holds what this one needs."""

    number: str
    agents: int = 0
    same_config: bool = False


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """Everything one decision reads. `gates` belong to `watched`, the phase last begun. `budget_note`
    is what held back others when the decision was carried out; the why line says it."""

    state: RolloutState
    plan: Plan
    phases: tuple[PhaseFacts, ...]
    gates: tuple[GateFacts, ...] = ()
    watched: int | None = None
    start_at: datetime | None = None
    blockers: tuple[Blocker, ...] = ()
    readiness_blocks: tuple[Text | str, ...] = ()
    gateways: int = 1
    joiners: int = 0
    budget_note: Text | str = ""
    paused_by: Text | str = ""
    pause_reason: Text | str = ""
    baked_s: float = 0.0
    version: str = ""
    previous: str = ""

    @property
    def is_frozen(self) -> bool:
        """Whether a freeze window holds any environment of this rollout now."""
        return any(phase.frozen_until is not None for phase in self.phases)

    @property
    def judged(self) -> tuple[PhaseFacts, ...]:
        """The phases whose agents have to run the version for the rollout to succeed: not those that
        a person advanced."""
        return tuple(phase for phase in self.phases if not phase.advanced_by)

    @property
    def has_quorum(self) -> bool:
        """Whether enough agents of the whole rollout run the version now, by their own word."""
        expected = sum(phase.counts.expected for phase in self.judged)
        on_new = sum(phase.counts.on_new for phase in self.judged)
        return on_new >= round(self.plan.pace.quorum * expected, 6)

    @property
    def current(self) -> PhaseFacts | None:
        """The first phase that is not over, None after the last."""
        over = {PhaseState.PASSED, PhaseState.SKIPPED, PhaseState.ROLLED_BACK, PhaseState.FAILED}
        return next((phase for phase in self.phases if phase.state not in over), None)

    @property
    def targets(self) -> int:
        return sum(phase.counts.members for phase in self.phases)

    @property
    def touched(self) -> int:
        return sum(phase.counts.offered for phase in self.phases)
