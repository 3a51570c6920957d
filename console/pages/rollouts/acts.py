"""The action bar of a rollout: which acts exist in a state, who may do them, and why not.

Always in the same order. A disabled act says why in visible text (ui.md 4.6). The rule itself is
checked again by the act, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.policy import can, four_eyes
from console.pages.rollouts import phases
from rollouts.engine.states import FINAL_STATES, PhaseState, RolloutState
from rollouts.models import Phase, Rollout


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `why_not` is empty when it can be pressed."""

    name: str
    label: str
    icon: str
    css: str
    url: str
    why_not: str = ""


def waiting_phase(steps: Sequence[Phase]) -> Phase | None:
    """Return the phase that waits for approval now."""
    return next((p for p in steps if p.state == PhaseState.AWAITING_APPROVAL), None)


def _verb(actor: Actor, verb: str, rollout: Rollout) -> str:
    answer = can(actor, verb, rollout)
    return "" if answer else answer.why_not


def _act(rollout: Rollout, name: str, label: str, icon: str, why_not: str, css: str = "") -> Button:
    return Button(name, label, icon, css, reverse(f"rollouts:{name}", args=[rollout.pk]), why_not)


def _pause(rollout: Rollout, actor: Actor) -> Button:
    if rollout.state == RolloutState.PAUSED:
        return _act(
            rollout, "resume", _("Resume…"), "play", _verb(actor, "rollouts.resume", rollout)
        )
    return _act(rollout, "pause", _("Pause…"), "pause", _verb(actor, "rollouts.pause", rollout))


def _advance(rollout: Rollout, actor: Actor, steps: Sequence[Phase]) -> Button:
    why_not = _verb(actor, "rollouts.advance", rollout)
    waits = any(p.state in {PhaseState.DEPLOYING, PhaseState.OBSERVING} for p in steps)
    if not waits or rollout.state != RolloutState.RUNNING:
        why_not = _("Nothing is being observed that could be skipped.")
    return _act(rollout, "advance", _("Advance now…"), "advance", why_not)


def _approve(rollout: Rollout, actor: Actor, steps: Sequence[Phase]) -> Button | None:
    if not any(p.manual and p.state != PhaseState.PASSED for p in steps):
        return None
    why_not = _verb(actor, "rollouts.approve", rollout)
    waiting = waiting_phase(steps)
    if waiting is None:
        manual = next(p for p in steps if p.manual and p.state != PhaseState.PASSED)
        why_not = _("%(phase)s can be approved once the phase before it has passed.") % {
            "phase": phases.title(manual)
        }
    elif not why_not:
        why_not = four_eyes(actor, rollout.involved_ids()).why_not
    css = "" if why_not else "primary"
    return _act(rollout, "approve", _("Approve…"), "check", why_not, css)


def _finished(rollout: Rollout, actor: Actor, steps: Sequence[Phase]) -> list[Button]:
    acts = []
    if any(phases.counts_of(p).failed_by_state for p in steps):
        why_not = _verb(actor, "rollouts.retry", rollout)
        acts.append(_act(rollout, "retry", _("Retry failed…"), "retry", why_not))
    if rollout.state == RolloutState.ROLLBACK_INCOMPLETE:
        why_not = _verb(actor, "rollouts.rollback", rollout)
        acts.append(_act(rollout, "rollback", _("Ask stragglers again…"), "undo", why_not))
    elif rollout.started_at and rollout.state in {RolloutState.SUCCEEDED, RolloutState.ABORTED}:
        why_not = _verb(actor, "rollouts.rollback", rollout)
        acts.append(_act(rollout, "rollback", _("Roll back…"), "undo", why_not, "danger"))
    return acts


def bar(rollout: Rollout, actor: Actor, steps: Sequence[Phase]) -> list[Button]:
    """Return the acts for this person in this state, in their fixed order."""
    if rollout.state in {RolloutState.DRAFT, RolloutState.SCHEDULED}:
        why_not = _verb(actor, "rollouts.start", rollout)
        start = _act(rollout, "start", _("Review and start…"), "play", why_not, "primary")
        return [start] if rollout.state == RolloutState.DRAFT else [_abort(rollout, actor)]
    if rollout.state in FINAL_STATES:
        return _finished(rollout, actor, steps)
    acts = [
        _pause(rollout, actor),
        _advance(rollout, actor, steps),
        _abort(rollout, actor),
        _approve(rollout, actor, steps),
    ]
    found = [act for act in acts if act is not None]
    if rollout.state == RolloutState.ROLLING_BACK:
        why_not = _("A rollback is running. It finishes before anything else can start.")
        return [Button(a.name, a.label, a.icon, "", a.url, why_not) for a in found]
    return found


def _abort(rollout: Rollout, actor: Actor) -> Button:
    """Abort and roll back is one dialog with two ways; either right opens it."""
    why_not = _verb(actor, "rollouts.abort", rollout)
    if rollout.state == RolloutState.SCHEDULED:
        return _act(rollout, "abort", _("Cancel…"), "stop", why_not)
    if can(actor, "rollouts.rollback", rollout):
        why_not = ""
    return _act(rollout, "abort", _("Abort and roll back…"), "undo", why_not, "danger")


def reasons(acts: Sequence[Button]) -> list[str]:
    """Return each sentence of why-not once, in order, for the text under the bar."""
    return list(dict.fromkeys(act.why_not for act in acts if act.why_not))
