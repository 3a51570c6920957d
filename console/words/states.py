"""What a state looks like: its colour token, icon and word. One table per kind of state, used by
pages, fragments and tests alike (ui.md section 1); the icon tells states apart without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from agents.models import ConfigStatus
from rollouts.engine.states import FAILED_TARGETS


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is shown. `token` is the CSS class `is-<token>`, `icon` a symbol's id."""

    token: str
    icon: str
    label: str | Promise
    spins: bool = False


# Agent status, worst first: the order of the agents list (ui.md section 1.1).
AGENT: dict[str, Look] = {
    "retired": Look("off", "stop", pgettext_lazy("agent status", "Retired")),
    "quarantined": Look("bad", "octagon-bar", pgettext_lazy("agent status", "Quarantined")),
    "config_failed": Look("bad", "octagon-x", pgettext_lazy("agent status", "Config failed")),
    "unhealthy": Look("bad", "triangle-fill", pgettext_lazy("agent status", "Unhealthy")),
    "degraded": Look("warn", "triangle", pgettext_lazy("agent status", "Component unhealthy")),
    "offline": Look("off", "dashed", pgettext_lazy("agent status", "Offline")),
    "applying": Look("run", "arc", pgettext_lazy("agent status", "Applying"), spins=True),
    "queued": Look("wait", "hourglass", pgettext_lazy("agent status", "Queued")),
    "drifted": Look("warn", "triangle", pgettext_lazy("agent status", "Drifted")),
    "unknown": Look("off", "question", pgettext_lazy("agent status", "Unknown")),
    "healthy": Look("ok", "ok", pgettext_lazy("agent status", "Healthy")),
}

# An agent's own word about a config or about connection settings it was offered.
SAID: dict[int, Look] = {
    ConfigStatus.APPLIED: Look("ok", "ok", pgettext_lazy("agent's word", "Applied")),
    ConfigStatus.APPLYING: Look(
        "run", "arc", pgettext_lazy("agent's word", "Applying"), spins=True
    ),
    ConfigStatus.FAILED: Look("bad", "octagon-x", pgettext_lazy("agent's word", "Failed")),
}

ROLLOUT: dict[str, Look] = {
    "draft": Look("off", "draft", pgettext_lazy("rollout state", "Draft")),
    "scheduled": Look("wait", "clock", pgettext_lazy("rollout state", "Scheduled")),
    "running": Look("run", "arc", pgettext_lazy("rollout state", "Running"), spins=True),
    "paused": Look("warn", "paused", pgettext_lazy("rollout state", "Paused")),
    "completing": Look("run", "arc", pgettext_lazy("rollout state", "Completing"), spins=True),
    "succeeded": Look("ok", "ok", pgettext_lazy("rollout state", "Succeeded")),
    "rolling_back": Look("bad", "undo", pgettext_lazy("rollout state", "Rolling back")),
    "rolled_back": Look("off", "undo", pgettext_lazy("rollout state", "Rolled back")),
    "rollback_incomplete": Look(
        "bad", "triangle", pgettext_lazy("rollout state", "Rollback incomplete")
    ),
    "aborted": Look("off", "stop", pgettext_lazy("rollout state", "Aborted")),
    "never_started": Look("off", "close", pgettext_lazy("rollout state", "Never started")),
    "superseded": Look("off", "skipped", pgettext_lazy("rollout state", "Superseded")),
}

PHASE: dict[str, Look] = {
    "pending": Look("off", "pending", pgettext_lazy("phase state", "Pending")),
    "awaiting_approval": Look("wait", "hourglass", pgettext_lazy("phase state", "Needs approval")),
    "deploying": Look("run", "arc", pgettext_lazy("phase state", "Sending"), spins=True),
    "observing": Look("run", "clock", pgettext_lazy("phase state", "Observing")),
    "passed": Look("ok", "ok", pgettext_lazy("phase state", "Passed")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("phase state", "Failed")),
    "rolled_back": Look("off", "undo", pgettext_lazy("phase state", "Rolled back")),
    "skipped": Look("off", "skipped", pgettext_lazy("phase state", "Skipped")),
}

# Gate reading (ui.md section 1.3). "No data" is a state of its own, never a kind of passing.
GATE: dict[str, Look] = {
    "failing": Look("bad", "octagon-x", pgettext_lazy("gate reading", "Failing")),
    "no_data": Look("off", "question", pgettext_lazy("gate reading", "No data")),
    "inconclusive": Look("warn", "question", pgettext_lazy("gate reading", "Inconclusive")),
    "insufficient": Look("off", "hourglass", pgettext_lazy("gate reading", "Not enough yet")),
    "close": Look("warn", "triangle", pgettext_lazy("gate reading", "Close to limit")),
    "passing": Look("ok", "ok", pgettext_lazy("gate reading", "Passing")),
    "overridden": Look("warn", "person", pgettext_lazy("gate reading", "Overridden")),
    "not_started": Look("off", "pending", pgettext_lazy("gate reading", "Not started")),
}

# What one agent of a rollout does: the cells of the agents grid, in the order they are drawn.
TARGET: dict[str, Look] = {
    "failed": Look("bad", "octagon-x", pgettext_lazy("target state", "Refused")),
    "timed_out": Look("bad", "clock", pgettext_lazy("target state", "Did not answer")),
    "fell_back": Look("bad", "undo", pgettext_lazy("target state", "Fell back by itself")),
    "lost": Look("bad", "question", pgettext_lazy("target state", "Lost")),
    "applied": Look("ok", "ok", pgettext_lazy("target state", "Applied")),
    "returned": Look("ok", "undo", pgettext_lazy("target state", "Back")),
    "failed_back": Look("warn", "undo", pgettext_lazy("target state", "Failed, back")),
    "applying": Look("run", "arc", pgettext_lazy("target state", "Applying")),
    "coming_back": Look("run", "undo", pgettext_lazy("target state", "Coming back")),
    "offline": Look("off", "dashed", pgettext_lazy("target state", "Offline")),
    "queued": Look("wait", "hourglass", pgettext_lazy("target state", "Queued")),
    "todo": Look("off", "pending", pgettext_lazy("target state", "Not started")),
}

DELIVERY: dict[str, Look] = {
    "open": Look("run", "arc", pgettext_lazy("delivery state", "Open"), spins=True),
    "applied": Look("ok", "ok", pgettext_lazy("delivery state", "Applied")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("delivery state", "Failed")),
    "timed_out": Look("warn", "clock", pgettext_lazy("delivery state", "Timed out")),
    "superseded": Look("off", "skipped", pgettext_lazy("delivery state", "Superseded")),
}

APPROVAL: dict[str, Look] = {
    "waiting": Look("wait", "hourglass", pgettext_lazy("approval state", "Waiting")),
    "approved": Look("ok", "ok", pgettext_lazy("approval state", "Approved")),
    "rejected": Look("bad", "octagon-x", pgettext_lazy("approval state", "Rejected")),
    "lapsed": Look("off", "skipped", pgettext_lazy("approval state", "Lapsed")),
    "expired": Look("off", "clock", pgettext_lazy("approval state", "Expired")),
    "withdrawn": Look("off", "stop", pgettext_lazy("approval state", "Withdrawn")),
}

# Things that need a person (`rollouts.attention`). They stand beside their sentence, so have no word.
NEED: dict[str, Look] = {
    "engine_late": Look("bad", "clock", ""),
    "no_gateway": Look("bad", "octagon-bar", ""),
    "tick_error": Look("bad", "triangle-fill", ""),
    "rollback_tick_error": Look("bad", "triangle-fill", ""),
    "rolled_back": Look("bad", "undo", ""),
    "not_back": Look("bad", "triangle", ""),
    "agents_away": Look("warn", "dashed", ""),
    "agents_late": Look("warn", "clock", ""),
    "wedged": Look("bad", "octagon-x", ""),
    "rejected": Look("warn", "person", ""),
    "expired": Look("warn", "clock", ""),
    "paused": Look("warn", "paused", ""),
    "holding": Look("warn", "question", ""),
    "expiring": Look("wait", "clock", ""),
    "quarantined": Look("warn", "octagon-bar", ""),
    "refused_version": Look("warn", "octagon-x", ""),
    "at_the_door": Look("warn", "lock", ""),
}

ROLLBACK: dict[str, Look] = {
    "running": Look("bad", "undo", pgettext_lazy("rollback state", "Rolling back")),
    "succeeded": Look("ok", "ok", pgettext_lazy("rollback state", "All back")),
    "incomplete": Look("bad", "triangle", pgettext_lazy("rollback state", "Incomplete")),
}

# The life of a certificate of an agent.
CERTIFICATE: dict[str, Look] = {
    "pending": Look("wait", "hourglass", pgettext_lazy("certificate state", "Pending")),
    "issued": Look("run", "arc", pgettext_lazy("certificate state", "Issued")),
    "offered": Look("run", "arc", pgettext_lazy("certificate state", "Offered"), spins=True),
    "applying": Look("run", "arc", pgettext_lazy("certificate state", "Applying"), spins=True),
    "installed": Look("ok", "ok", pgettext_lazy("certificate state", "In use")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("certificate state", "Failed")),
    "rolled_back": Look("warn", "undo", pgettext_lazy("certificate state", "Rolled back")),
    "superseded": Look("off", "skipped", pgettext_lazy("certificate state", "Superseded")),
    "expired": Look("off", "clock", pgettext_lazy("certificate state", "Expired")),
    "revoked": Look("off", "octagon-bar", pgettext_lazy("certificate state", "Revoked")),
    "cancelled": Look("off", "close", pgettext_lazy("certificate state", "Cancelled")),
}

KINDS = {
    "certificate": CERTIFICATE,
    "agent": AGENT,
    "rollout": ROLLOUT,
    "phase": PHASE,
    "gate": GATE,
    "target": TARGET,
    "delivery": DELIVERY,
    "approval": APPROVAL,
    "rollback": ROLLBACK,
    "need": NEED,
}


def look(kind: str, state: str) -> Look:
    """Return how `state` of `kind` is shown; an unknown state is shown as its own name."""
    return KINDS[kind].get(state) or Look("off", "question", state.replace("_", " "))


def target_kind(
    state: str, online: bool, started: bool, taken_from: str = "", way: str = ""
) -> str:
    """Return the entry of TARGET for a target's state; offline shows while nothing is confirmed.

    Each way to fail is a kind of its own, and who failed and is back is another one: the kinds
    share the agents out, so that the legend adds up. `way` is the kind of one that is on its way back.
    """
    if state == "rolled_back":
        return "failed_back" if taken_from in FAILED_TARGETS else "returned"
    if way:
        return way
    if state == "applied" or state in FAILED_TARGETS:
        return state
    if state == "skipped":
        return "todo"
    if started and not online:
        return "offline"
    if state == "offered":
        return "applying"
    return "queued" if started else "todo"
