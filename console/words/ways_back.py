"""The way back in words: why it began, who decided, how it went (ui.md 4.6 and 4.7). Pure over rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.lib.texts import said, spoken
from console.words import numbers, times
from console.words.actors import who
from rollouts.engine.facts import GateKind
from rollouts.models import Rollback, Rollout


class Went(Protocol):
    """How far a rollback is, in agents."""

    @property
    def total(self) -> int: ...
    @property
    def confirmed(self) -> int: ...
    @property
    def online(self) -> int: ...
    @property
    def took_s(self) -> float | None: ...


def gate_of(rollback: Rollback) -> Mapping[str, Any]:
    """Return the gate that decided, as it was kept with the decision; {} when none did."""
    gate = (rollback.cause or {}).get("gate")
    return spoken(gate) if isinstance(gate, Mapping) else {}


def is_failure(rollback: Rollback) -> bool:
    """Whether the version was found bad, and not called back by a person."""
    return rollback.kind == Rollback.Kind.AUTOMATIC


def cause(rollback: Rollback, *, is_over: bool) -> str:
    """Say what was measured against which limit, or the words of the person who decided."""
    gate = gate_of(rollback)
    value, limit, unit = gate.get("value"), gate.get("limit"), str(gate.get("unit") or "")
    is_count = gate.get("kind") in {GateKind.FLOOR, GateKind.TRIGGER}
    if is_count or value is None or limit is None:
        return str(gate.get("sentence") or "") or _quoted(rollback)
    sentence = (
        _("%(gate)s was %(value)s, limit %(limit)s.")
        if is_over
        else _("%(gate)s is %(value)s, limit %(limit)s.")
    )
    return sentence % {
        "gate": gate.get("title") or gate.get("metric"),
        "value": numbers.amount(float(value), unit),
        "limit": numbers.amount(float(limit), unit),
    }


def _quoted(rollback: Rollback) -> str:
    reason = said(rollback.reason)
    if is_failure(rollback) or not reason:
        return reason
    return _("Reason: “%(reason)s”.") % {"reason": reason.rstrip(".")}


def decided_by(rollback: Rollback, plan: str) -> str:
    """Say who decided: a guard, a gate, the plan's own limit, or a person."""
    if not is_failure(rollback):
        return _("Decided by %(name)s") % {"name": who(rollback.requested_by_name)}
    kind = gate_of(rollback).get("kind")
    if kind in {GateKind.THRESHOLD, GateKind.TRIGGER}:
        return _("Decided by this guard, no person asked")
    if kind == GateKind.CRITERION:
        return _("Decided by this gate, no person asked")
    if not plan:
        return _("Decided by the plan, no person asked")
    return _("Decided by the plan “%(plan)s”, no person asked") % {"plan": plan}


def goal(rollout: Rollout) -> str:
    """What the agents go back to: `v2`, or what they ran before."""
    version = rollout.previous_version
    return f"v{version.number}" if version is not None else _("what they ran before")


def rolling(agents: int, to: str) -> str:
    return ngettext(
        "Rolling %(n)s agent back to %(to)s.", "Rolling %(n)s agents back to %(to)s.", agents
    ) % {"n": f"{agents:,}", "to": to}


def never(agents: int, version: str) -> str:
    """Say who was spared, "" for nobody."""
    if not agents:
        return ""
    return ngettext(
        "%(n)s agent never received %(version)s.",
        "%(n)s agents never received %(version)s.",
        agents,
    ) % {"n": f"{agents:,}", "version": version}


def touched(spared: int, members: int) -> str:
    """Say how much of the fleet the version never reached, "" when it reached all."""
    if not spared:
        return ""
    return ngettext(
        "%(n)s of %(m)s agents was never touched.",
        "%(n)s of %(m)s agents were never touched.",
        spared,
    ) % {"n": f"{spared:,}", "m": f"{members:,}"}


def outcome(rollback: Rollback, went: Went, caught_s: float | None) -> str:
    """Say in how many seconds it was caught and returned, or how many are back by now."""
    values = {
        "name": who(rollback.requested_by_name),
        "caught": times.exact_span(caught_s or 0.0),
        "took": times.exact_span(went.took_s or 0.0),
        "back": f"{went.confirmed:,}",
        "of": f"{went.total:,}",
    }
    is_back = went.took_s is not None and went.online == went.total
    if caught_s is None:
        if is_back:
            return _("Returned in %(took)s.") % values
        return _("%(back)s of %(of)s agents are back.") % values
    if is_failure(rollback):
        if is_back:
            return _("Caught in %(caught)s, returned in %(took)s.") % values
        return _("Caught in %(caught)s. %(back)s of %(of)s agents are back.") % values
    if is_back:
        return _("Stopped by %(name)s after %(caught)s, returned in %(took)s.") % values
    return _("Stopped by %(name)s after %(caught)s. %(back)s of %(of)s agents are back.") % values


def kept_back(version: str, *, is_kept: bool) -> str:
    """Say whether the version may be offered again."""
    if not is_kept:
        return ""
    return _("%(version)s is quarantined: it is offered again only when a person lifts that.") % {
        "version": version
    }


def left(seconds: float) -> str:
    """Say how long it still takes: `about 3 s left`."""
    return _("about %(span)s left") % {"span": times.exact_span(max(1, math.ceil(seconds)))}


def agents_said(agents: int) -> str:
    return ngettext("%(n)s agent gave an error", "%(n)s agents gave an error", agents) % {
        "n": f"{agents:,}"
    }
