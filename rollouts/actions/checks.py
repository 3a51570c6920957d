"""Finds and locks the rollout of an act, and checks that it is still what the person saw."""

from __future__ import annotations

from datetime import datetime

from console.lib.problems import FieldError, Invalid, Missing, Refused, Stale
from rollouts.models import Event, Phase, Rollout

MAX_REASON = 500


def locked(rollout_id: int, seen_revision: int | None, now: datetime) -> Rollout:
    """Return the rollout with its row locked. Raises Missing, or Stale when it moved on."""
    rollout = Rollout.objects.lock(rollout_id)
    if rollout is None:
        raise Missing(f"There is no rollout R-{rollout_id:04d}.")
    if seen_revision is not None and seen_revision != rollout.revision:
        raise Stale(f"{_what_happened(rollout, now)} Nothing was done.")
    return rollout


def phase_named(rollout: Rollout, name: str) -> Phase:
    """Return one phase by its name. Raises Missing naming those there are."""
    phase = rollout.phases.filter(name=name).first()
    if phase is None:
        names = ", ".join(rollout.phases.values_list("name", flat=True))
        raise Missing(f'{rollout.number} has no phase "{name}"; its phases are {names}.')
    return phase


def needs_reason(reason: str, what: str) -> str:
    """Return the reason, stripped. Raises Invalid when there is none, or a whole essay."""
    text = reason.strip()
    if not text:
        message = f"Say why: {what} needs a reason."
        raise Invalid(message, errors=[FieldError("reason", message)])
    return checked_reason(text)


def checked_reason(reason: str) -> str:
    """Return an optional reason, stripped. Raises Invalid when it is too long."""
    text = reason.strip()
    if len(text) > MAX_REASON or "\x00" in text:
        message = f"The reason is longer than {MAX_REASON} characters."
        raise Invalid(message, errors=[FieldError("reason", message)])
    return text


def not_possible(rollout: Rollout, verb: str) -> Refused:
    """Return the refusal of an act that the present state has no step for."""
    state = rollout.state.replace("_", " ")
    return Refused(f"{rollout.number} is {state}; it cannot be {verb} now.", code="wrong_state")


def _what_happened(rollout: Rollout, now: datetime) -> str:
    last = Event.objects.filter(rollout=rollout).order_by("-seq").first()
    if last is None:
        return "Somebody changed this."
    ago_s = max(0, int((now - last.at).total_seconds()))
    what = f"{last.act.replace('_', ' ')}{' ' + last.phase if last.phase else ''}"
    return f"{last.actor_name}: {what}, {ago_s} s ago."
