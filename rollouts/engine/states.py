"""States and the transitions between them (spec section 4). Pure; the one source for the code,
the database constraints and docs/architecture.md (`python -m rollouts.engine.states` prints it)."""

from __future__ import annotations

from console.lib import transitions
from console.lib.transitions import States, Transition, table_of


class RolloutState(States):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETING = "completing"
    SUCCEEDED = "succeeded"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_INCOMPLETE = "rollback_incomplete"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"


class PhaseState(States):
    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    DEPLOYING = "deploying"
    OBSERVING = "observing"
    PASSED = "passed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"


class TargetState(States):
    """Where one agent stands in the delivery, by what it runs now: `offered` covers sent and
    acknowledged, `fell_back` returned to another version by itself, `lost` is gone since the change.
    """

    WAITING = "waiting"
    OFFERED = "offered"
    APPLIED = "applied"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    FELL_BACK = "fell_back"
    LOST = "lost"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"


class RollbackState(States):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"


class RollbackTargetState(States):
    WAITING = "waiting"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    NO_VERSION = "no_version"
    SKIPPED = "skipped"


ACTIVE_STATES = frozenset(
    {
        RolloutState.RUNNING,
        RolloutState.PAUSED,
        RolloutState.COMPLETING,
        RolloutState.ROLLING_BACK,
    }
)
FINAL_STATES = frozenset(
    {
        RolloutState.SUCCEEDED,
        RolloutState.ROLLED_BACK,
        RolloutState.ROLLBACK_INCOMPLETE,
        RolloutState.ABORTED,
        RolloutState.SUPERSEDED,
    }
)
# A phase that has begun: its targets may have been offered the new version.
BEGUN_PHASES = frozenset(
    {PhaseState.DEPLOYING, PhaseState.OBSERVING, PhaseState.PASSED, PhaseState.FAILED}
)
OPEN_PHASES = frozenset({PhaseState.DEPLOYING, PhaseState.OBSERVING})
# Targets that may run the new version, now or when they come back: what a rollback returns.
# States in which a target counts as failed, whatever its health.
FAILED_TARGETS = frozenset(
    {TargetState.FAILED, TargetState.TIMED_OUT, TargetState.FELL_BACK, TargetState.LOST}
)
TOUCHED_TARGETS = FAILED_TARGETS | {TargetState.OFFERED, TargetState.APPLIED}


_R = RolloutState
ROLLOUT_TRANSITIONS = (
    Transition(
        "schedule", (_R.DRAFT,), _R.SCHEDULED, "started for later, or queued behind another"
    ),
    Transition(
        "start", (_R.DRAFT, _R.SCHEDULED), _R.RUNNING, "preflight holds, agents are claimed"
    ),
    Transition(
        "pause", (_R.RUNNING, _R.COMPLETING), _R.PAUSED, "by a person, a guard, a rejection"
    ),
    Transition("resume", (_R.PAUSED,), _R.RUNNING, "by a person"),
    Transition("bake", (_R.RUNNING,), _R.COMPLETING, "every phase passed, guards keep watching"),
    Transition("succeed", (_R.COMPLETING,), _R.SUCCEEDED, "the bake time passed without a breach"),
    Transition(
        "roll_back",
        (_R.RUNNING, _R.PAUSED, _R.COMPLETING, _R.SUCCEEDED, _R.ABORTED, _R.ROLLBACK_INCOMPLETE),
        _R.ROLLING_BACK,
        "by a guard, a failed criterion or a person",
    ),
    Transition("rolled_back", (_R.ROLLING_BACK,), _R.ROLLED_BACK, "every online agent said so"),
    Transition(
        "rollback_incomplete", (_R.ROLLING_BACK,), _R.ROLLBACK_INCOMPLETE, "stragglers are listed"
    ),
    Transition(
        "stragglers_back", (_R.ROLLBACK_INCOMPLETE,), _R.ROLLED_BACK, "the last straggler came back"
    ),
    Transition("discard", (_R.DRAFT,), _R.ABORTED, "by a person, before anything was sent"),
    Transition(
        "abort",
        (_R.DRAFT, _R.SCHEDULED, _R.RUNNING, _R.PAUSED, _R.COMPLETING),
        _R.ABORTED,
        "by a person: stop, leave everything as it is",
    ),
    Transition(
        "supersede",
        (_R.SCHEDULED, _R.RUNNING, _R.PAUSED, _R.COMPLETING),
        _R.SUPERSEDED,
        "another rollout took over deliberately",
    ),
)

_P = PhaseState
PHASE_TRANSITIONS = (
    Transition(
        "ask_approval", (_P.PENDING,), _P.AWAITING_APPROVAL, "manual phase, its turn has come"
    ),
    Transition(
        "start_phase",
        (_P.PENDING, _P.AWAITING_APPROVAL),
        _P.DEPLOYING,
        "its turn has come, or a person approved",
    ),
    Transition(
        "deployed", (_P.DEPLOYING,), _P.OBSERVING, "every online target settled, quorum reached"
    ),
    Transition(
        "pass_phase",
        (_P.PENDING, _P.OBSERVING),
        _P.PASSED,
        "observed long enough and every gate passes (or the phase has no members)",
    ),
    Transition(
        "advance", (_P.DEPLOYING, _P.OBSERVING), _P.PASSED, "a person skipped the rest of the wait"
    ),
    Transition(
        "fail_phase",
        (_P.AWAITING_APPROVAL, _P.DEPLOYING, _P.OBSERVING, _P.PASSED),
        _P.FAILED,
        "a guard or criterion failed: the rollout comes back",
    ),
    Transition(
        "phase_rolled_back",
        (_P.DEPLOYING, _P.OBSERVING, _P.PASSED, _P.SKIPPED),
        _P.ROLLED_BACK,
        "its agents went back",
    ),
    Transition(
        "skip_phase",
        (_P.PENDING, _P.AWAITING_APPROVAL, _P.DEPLOYING, _P.OBSERVING),
        _P.SKIPPED,
        "the rollout ended before this phase did",
    ),
)

_B = RollbackState
ROLLBACK_TRANSITIONS = (
    Transition(
        "rollback_done", (_B.RUNNING, _B.INCOMPLETE), _B.SUCCEEDED, "all online agents are back"
    ),
    Transition(
        "rollback_incomplete", (_B.RUNNING,), _B.INCOMPLETE, "some online agents are not back"
    ),
    Transition(
        "rollback_again", (_B.INCOMPLETE,), _B.RUNNING, "a person asked for the stragglers again"
    ),
)

_T = TargetState
TARGET_TRANSITIONS = (
    Transition("offer", (_T.WAITING, _T.OFFERED), _T.OFFERED, "the version is offered to it"),
    Transition("found", (_T.WAITING,), _T.APPLIED, "it runs the version already, and says so"),
    Transition(
        "confirm",
        (_T.OFFERED, _T.TIMED_OUT, _T.LOST),
        _T.APPLIED,
        "it says that it runs the version (if it was lost: connected again)",
    ),
    Transition(
        "recover",
        (_T.FAILED, _T.FELL_BACK),
        _T.APPLIED,
        "after all it says that it runs the version, connected and not unhealthy",
    ),
    Transition(
        "refuse",
        (_T.OFFERED, _T.TIMED_OUT, _T.APPLIED, _T.LOST),
        _T.FAILED,
        "it says that it cannot run it",
    ),
    Transition(
        "fall_back",
        (_T.OFFERED, _T.TIMED_OUT, _T.APPLIED, _T.LOST),
        _T.FELL_BACK,
        "after it ran the version, it says that it runs another one, which nobody asked for",
    ),
    Transition(
        "lose",
        (_T.OFFERED, _T.APPLIED),
        _T.LOST,
        "since the change it is not connected, or has no config, for longer than lost_after, or lost its"
        " config more than once",
    ),
    Transition("time_out", (_T.OFFERED,), _T.TIMED_OUT, "it said nothing within apply_timeout"),
    Transition(
        "skip",
        (_T.WAITING, _T.OFFERED),
        _T.SKIPPED,
        "it is let go: the rollout ended, something else is wanted of it, or it is quarantined",
    ),
    Transition(
        "take_back",
        tuple(state for state in _T if state is not _T.ROLLED_BACK),
        _T.ROLLED_BACK,
        "it went back, or another rollback took it",
    ),
)

_W = RollbackTargetState
BACK_TRANSITIONS = (
    Transition("offer", (_W.WAITING,), _W.OFFERED, "the version from before is offered to it"),
    Transition("found", (_W.WAITING,), _W.CONFIRMED, "it runs that version already, and says so"),
    Transition(
        "confirm", (_W.OFFERED, _W.TIMED_OUT), _W.CONFIRMED, "it says that it runs that version"
    ),
    Transition(
        "recover",
        (_W.FAILED,),
        _W.CONFIRMED,
        "after all it says that it runs that version, connected and not unhealthy",
    ),
    Transition(
        "refuse",
        (_W.WAITING, _W.OFFERED, _W.TIMED_OUT),
        _W.FAILED,
        "it says that it cannot run it, or that version is quarantined for it",
    ),
    Transition("time_out", (_W.OFFERED,), _W.TIMED_OUT, "it said nothing within apply_timeout"),
    Transition(
        "skip",
        (_W.WAITING, _W.OFFERED),
        _W.SKIPPED,
        "the batch before did not come back, or something else is wanted of it",
    ),
    Transition(
        "ask_again",
        (_W.FAILED, _W.TIMED_OUT, _W.SKIPPED),
        _W.WAITING,
        "a person asked for the stragglers again",
    ),
)


ROLLOUT_TABLE = table_of(ROLLOUT_TRANSITIONS)
PHASE_TABLE = table_of(PHASE_TRANSITIONS)
ROLLBACK_TABLE = table_of(ROLLBACK_TRANSITIONS)
TARGET_TABLE = table_of(TARGET_TRANSITIONS)
BACK_TABLE = table_of(BACK_TRANSITIONS)


def as_markdown() -> dict[str, str]:
    """Return the transition tables as docs/architecture.md shows them, by what they are of."""
    tables = {
        "rollout": ROLLOUT_TRANSITIONS,
        "phase": PHASE_TRANSITIONS,
        "rollback": ROLLBACK_TRANSITIONS,
        "target": TARGET_TRANSITIONS,
        "way back": BACK_TRANSITIONS,
    }
    return {kind: transitions.as_markdown(kind, rows) for kind, rows in tables.items()}


def main() -> None:
    """Print the tables for docs/architecture.md."""
    print("\n\n".join(as_markdown().values()))  # noqa: T201


if __name__ == "__main__":
    main()
