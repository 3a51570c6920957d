"""Topics of the live feed: their names, who may follow them, and how often they are sent.

A topic is what writers mark dirty (`console.lib.hints.mark_dirty`) and what pages list.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from accounts.actor import Actor
from accounts.policy import can

NAV = "nav"  # every page follows it: counts in the navigation, the heartbeat
FLEET = "fleet"
AGENTS = "agents"
ROLLOUTS = "rollouts"
APPROVALS = "approvals"
CONFIGS = "configs"
QUARANTINES = "quarantines"
PLAIN = frozenset({NAV, FLEET, AGENTS, ROLLOUTS, APPROVALS, CONFIGS, QUARANTINES})
# What these send is only that something changed: who shows it reads it again.
COUNTED = frozenset({ROLLOUTS, APPROVALS, QUARANTINES})  # every page counts them in its navigation
SIGNALS = frozenset({NAV, ROLLOUTS, APPROVALS, CONFIGS, QUARANTINES})
MAX_TOPICS = 8

_OBJECT = re.compile(r"(agent|rollout|rollback):(\d{1,18})")
_VERBS = {
    "agent": "agents.view",
    "agents": "agents.view",
    "fleet": "agents.view",
    "quarantines": "agents.view",
    "configs": "configs.view",
}


def parse(query_string: str) -> list[str]:
    """Return the known topics of `?t=rollout:42&t=fleet`, each once; others are dropped."""
    asked = parse_qs(query_string).get("t", [])
    known = [t for t in asked if t in PLAIN or _OBJECT.fullmatch(t)]
    return list(dict.fromkeys(known))[:MAX_TOPICS]


def object_of(topic: str) -> tuple[str, int] | None:
    """Return ("rollout", 42) for "rollout:42", None for a plain topic."""
    found = _OBJECT.fullmatch(topic)
    return (found[1], int(found[2])) if found else None


def group_of(topic: str) -> str:
    """Return the channel layer's group of a topic; colons are not allowed there."""
    return "live." + topic.replace(":", ".")


def may_follow(actor: Actor, topic: str) -> bool:
    """Tell whether a person may see what a topic sends."""
    kind = topic.partition(":")[0]
    return bool(can(actor, _VERBS.get(kind, "rollouts.view")))


def pulse_s(topic: str) -> float | None:
    """Return how often a followed topic is drawn even when nobody says that it changed: what changes
    by time alone, and what was said before the page listened. None for signals, which draw nothing."""
    return None if topic in SIGNALS or topic.startswith("rollback:") else 10.0


def interval_s(topic: str) -> float:
    """Return the shortest time between two messages of a topic (ui.md section 6)."""
    if topic.startswith("rollback:"):
        return 2.0
    return {AGENTS: 2.0, FLEET: 5.0, ROLLOUTS: 2.0, APPROVALS: 2.0}.get(topic, 1.0)
