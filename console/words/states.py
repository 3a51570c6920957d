"""What a state looks like: its colour token, icon and word. One table per kind of state, used by
pages, fragments and tests alike (ui.md section 1); the icon tells states apart without colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import pgettext_lazy

from agents.models import ConfigStatus
from rollouts.engine.states import FAILED_TARGETS


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is shown. `token` is the CSS class `is-<token>`, `icon` a symbol's id, `word` as it
    stands inside a sentence: no language is made by putting a label into small letters."""

    token: str
    icon: str
    word: str | Promise
    spins: bool = False

    @property
    def label(self) -> str:
        """The word as it stands alone."""
        return capfirst(str(self.word))


# Agent status, worst first: the order of the agents list (ui.md section 1.1).
AGENT: dict[str, Look] = {
    "retired": Look("off", "stop", pgettext_lazy("agent status", "retired")),
    "quarantined": Look("bad", "octagon-bar", pgettext_lazy("agent status", "quarantined")),
    "config_failed": Look("bad", "octagon-x", pgettext_lazy("agent status", "config failed")),
    "unhealthy": Look("bad", "triangle-fill", pgettext_lazy("agent status", "unhealthy")),
    "degraded": Look("warn", "triangle", pgettext_lazy("agent status", "component unhealthy")),
    "offline": Look("off", "dashed", pgettext_lazy("agent status", "offline")),
    "applying": Look("run", "arc", pgettext_lazy("agent status", "applying"), spins=True),
    "queued": Look("wait", "hourglass", pgettext_lazy("agent status", "queued")),
    "drifted": Look("warn", "triangle", pgettext_lazy("agent status", "drifted")),
    "unknown": Look("off", "question", pgettext_lazy("agent status", "unknown")),
    "healthy": Look("ok", "ok", pgettext_lazy("agent status", "healthy")),
}

# An agent's own word about a config or about connection settings it was offered.
SAID: dict[int, Look] = {
    ConfigStatus.APPLIED: Look("ok", "ok", pgettext_lazy("agent's word", "applied")),
    ConfigStatus.APPLYING: Look(
        "run", "arc", pgettext_lazy("agent's word", "applying"), spins=True
    ),
    ConfigStatus.FAILED: Look("bad", "octagon-x", pgettext_lazy("agent's word", "failed")),
}

ROLLOUT: dict[str, Look] = {
    "draft": Look("off", "draft", pgettext_lazy("rollout state", "draft")),
    "scheduled": Look("wait", "clock", pgettext_lazy("rollout state", "scheduled")),
    "running": Look("run", "arc", pgettext_lazy("rollout state", "running"), spins=True),
    "paused": Look("warn", "paused", pgettext_lazy("rollout state", "paused")),
    "completing": Look("run", "arc", pgettext_lazy("rollout state", "completing"), spins=True),
    "succeeded": Look("ok", "ok", pgettext_lazy("rollout state", "succeeded")),
    "rolling_back": Look("bad", "undo", pgettext_lazy("rollout state", "rolling back")),
    "rolled_back": Look("off", "undo", pgettext_lazy("rollout state", "rolled back")),
    "rollback_incomplete": Look(
        "bad", "triangle", pgettext_lazy("rollout state", "rollback incomplete")
    ),
    "aborted": Look("off", "stop", pgettext_lazy("rollout state", "aborted")),
    "never_started": Look("off", "close", pgettext_lazy("rollout state", "never started")),
    "superseded": Look("off", "skipped", pgettext_lazy("rollout state", "superseded")),
}

PHASE: dict[str, Look] = {
    "pending": Look("off", "pending", pgettext_lazy("phase state", "pending")),
    "awaiting_approval": Look("wait", "hourglass", pgettext_lazy("phase state", "needs approval")),
    "deploying": Look("run", "arc", pgettext_lazy("phase state", "sending"), spins=True),
    "observing": Look("run", "clock", pgettext_lazy("phase state", "observing")),
    "passed": Look("ok", "ok", pgettext_lazy("phase state", "passed")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("phase state", "failed")),
    "rolled_back": Look("off", "undo", pgettext_lazy("phase state", "rolled back")),
    "skipped": Look("off", "skipped", pgettext_lazy("phase state", "skipped")),
}

# Gate reading (ui.md section 1.3). "No data" is a state of its own, never a kind of passing.
GATE: dict[str, Look] = {
    "failing": Look("bad", "octagon-x", pgettext_lazy("gate reading", "failing")),
    "no_data": Look("off", "question", pgettext_lazy("gate reading", "no data")),
    "inconclusive": Look("warn", "question", pgettext_lazy("gate reading", "inconclusive")),
    "insufficient": Look("off", "hourglass", pgettext_lazy("gate reading", "not enough yet")),
    "close": Look("warn", "triangle", pgettext_lazy("gate reading", "close to limit")),
    "passing": Look("ok", "ok", pgettext_lazy("gate reading", "passing")),
    "overridden": Look("warn", "person", pgettext_lazy("gate reading", "overridden")),
    "not_started": Look("off", "pending", pgettext_lazy("gate reading", "not started")),
}

# What one agent of a rollout does: the cells of the agents grid, in the order they are drawn.
TARGET: dict[str, Look] = {
    "failed": Look("bad", "octagon-x", pgettext_lazy("target state", "refused")),
    "timed_out": Look("bad", "clock", pgettext_lazy("target state", "did not answer")),
    "fell_back": Look("bad", "undo", pgettext_lazy("target state", "fell back by itself")),
    "lost": Look("bad", "question", pgettext_lazy("target state", "lost")),
    "applied": Look("ok", "ok", pgettext_lazy("target state", "applied")),
    "returned": Look("ok", "undo", pgettext_lazy("target state", "back")),
    "failed_back": Look("warn", "undo", pgettext_lazy("target state", "failed, back")),
    "applying": Look("run", "arc", pgettext_lazy("target state", "applying")),
    "coming_back": Look("run", "undo", pgettext_lazy("target state", "coming back")),
    "offline": Look("off", "dashed", pgettext_lazy("target state", "offline")),
    "queued": Look("wait", "hourglass", pgettext_lazy("target state", "queued")),
    "todo": Look("off", "pending", pgettext_lazy("target state", "not started")),
}

DELIVERY: dict[str, Look] = {
    "open": Look("run", "arc", pgettext_lazy("delivery state", "open"), spins=True),
    "applied": Look("ok", "ok", pgettext_lazy("delivery state", "applied")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("delivery state", "failed")),
    "timed_out": Look("warn", "clock", pgettext_lazy("delivery state", "timed out")),
    "superseded": Look("off", "skipped", pgettext_lazy("delivery state", "superseded")),
}

APPROVAL: dict[str, Look] = {
    "waiting": Look("wait", "hourglass", pgettext_lazy("approval state", "waiting")),
    "approved": Look("ok", "ok", pgettext_lazy("approval state", "approved")),
    "rejected": Look("bad", "octagon-x", pgettext_lazy("approval state", "rejected")),
    "lapsed": Look("off", "skipped", pgettext_lazy("approval state", "lapsed")),
    "expired": Look("off", "clock", pgettext_lazy("approval state", "expired")),
    "withdrawn": Look("off", "stop", pgettext_lazy("approval state", "withdrawn")),
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
    "running": Look("bad", "undo", pgettext_lazy("rollback state", "rolling back")),
    "succeeded": Look("ok", "ok", pgettext_lazy("rollback state", "all back")),
    "incomplete": Look("bad", "triangle", pgettext_lazy("rollback state", "incomplete")),
}

# The life of a certificate of an agent.
CERTIFICATE: dict[str, Look] = {
    "pending": Look("wait", "hourglass", pgettext_lazy("certificate state", "pending")),
    "issued": Look("run", "arc", pgettext_lazy("certificate state", "issued")),
    "offered": Look("run", "arc", pgettext_lazy("certificate state", "offered"), spins=True),
    "applying": Look("run", "arc", pgettext_lazy("certificate state", "applying"), spins=True),
    "installed": Look("ok", "ok", pgettext_lazy("certificate state", "in use")),
    "failed": Look("bad", "octagon-x", pgettext_lazy("certificate state", "failed")),
    "rolled_back": Look("warn", "undo", pgettext_lazy("certificate state", "rolled back")),
    "superseded": Look("off", "skipped", pgettext_lazy("certificate state", "superseded")),
    "expired": Look("off", "clock", pgettext_lazy("certificate state", "expired")),
    "revoked": Look("off", "octagon-bar", pgettext_lazy("certificate state", "revoked")),
    "cancelled": Look("off", "close", pgettext_lazy("certificate state", "cancelled")),
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
