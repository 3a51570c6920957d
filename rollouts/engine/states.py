"""States and the transitions between them (spec section 4). Pure; the one source for the code,
the database constraints and docs/architecture.md."""

from __future__ import annotations

from enum import StrEnum


class _State(StrEnum):
    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return (value, words) pairs for model fields and pages."""
        return [(state.value, state.value.replace("_", " ").capitalize()) for state in cls]


class RolloutState(_State):
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


class PhaseState(_State):
    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    DEPLOYING = "deploying"
    OBSERVING = "observing"
    PASSED = "passed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"


class TargetState(_State):
    """Where one agent stands in the delivery: `offered` covers sent and acknowledged."""

    WAITING = "waiting"
    OFFERED = "offered"
    APPLIED = "applied"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"


class RollbackState(_State):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"


class RollbackTargetState(_State):
    WAITING = "waiting"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    NO_VERSION = "no_version"


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
