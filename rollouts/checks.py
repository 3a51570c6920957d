"""Finds and locks the rollout of an act, and checks that it is still what the person saw."""

from __future__ import annotations

from datetime import datetime

from accounts.actor import named
from console.lib.problems import Invalid, Missing, Refused, Stale
from console.lib.texts import Text, spoken, text
from rollouts.models import Event, Phase, Rollout

MAX_REASON = 500


def locked(rollout_id: int, seen_revision: int | None, now: datetime) -> Rollout:
    """Return the rollout with its row locked. Raises Missing, or Stale when it moved on."""
    rollout = Rollout.objects.lock(rollout_id)
    if rollout is None:
        raise Missing("rollout.missing", number=rollout_id)
    if seen_revision is not None and seen_revision != rollout.revision:
        raise Stale("stale.moved_on", what=_what_happened(rollout, now))
    return rollout


def phase_named(rollout: Rollout, name: str) -> Phase:
    """Return one phase by its name. Raises Missing naming those there are."""
    phase = rollout.phases.filter(name=name).first()
    if phase is None:
        names = list(rollout.phases.values_list("name", flat=True))
        raise Missing("phase.missing", number=rollout.number, name=name, names=names)
    return phase


def needs_reason(reason: str, says: Text) -> str:
    """Return the reason, stripped. Raises Invalid when there is none (`says`), or a whole essay."""
    if not reason.strip():
        raise Invalid.at("reason", says)
    return checked_reason(reason)


def checked_reason(reason: str) -> str:
    """Return an optional reason, stripped. Raises Invalid when it is too long."""
    stripped = reason.strip()
    if len(stripped) > MAX_REASON or "\x00" in stripped:
        raise Invalid.at("reason", text("reason.too_long", most=MAX_REASON))
    return stripped


def not_possible(rollout: Rollout, says: str) -> Refused:
    """Return the refusal of an act that the present state has no step for; `says` is its code."""
    return Refused(says, code="wrong_state", number=rollout.number, state=rollout.state)


def _what_happened(rollout: Rollout, now: datetime) -> Text:
    last = Event.objects.filter(rollout=rollout).order_by("-seq").first()
    if last is None:
        return text("stale.somebody")
    ago_s = max(0, int((now - last.at).total_seconds()))
    return text(
        "stale.last_act",
        actor=named(last.actor_name),
        act=last.act,
        phase=last.phase,
        inputs=spoken(last.inputs),
        seconds=ago_s,
    )
