"""The action bar of a rollout: its acts in this state, in their fixed order, and why not.

What cannot be done now stands in a menu beside them, each act with its reason in visible text (ui.md 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.policy import can
from console.pages.rollouts.acts.dialogs import Seen
from console.pages.rollouts.acts.table import ACTS
from rollouts.engine.states import RolloutState
from rollouts.models import Rollout


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `why_not` is empty when it can be pressed; only then it has a colour of its own."""

    name: str
    label: str
    icon: str
    css: str
    url: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """What can be done now, and what not; each in its fixed order."""

    now: list[Button]
    not_now: list[Button]


def bar(seen: Seen, actor: Actor) -> Bar:
    """Return the acts for this person in this state."""
    acts = acts_of(seen, actor)
    return Bar([act for act in acts if not act.why_not], [act for act in acts if act.why_not])


def acts_of(seen: Seen, actor: Actor) -> list[Button]:
    """Return all of them, those that cannot be done with why not."""
    rollout = seen.rollout
    if rollout.state == RolloutState.DRAFT:
        return [
            *_of_table(seen, actor, ""),
            _button(seen, "edit", _("Edit"), "draft", "", _cannot(actor, "edit", rollout)),
            _button(
                *(seen, "start", _("Review and start…"), "play", "primary"),
                _cannot(actor, "start", rollout),
            ),
        ]
    running_back = ""
    if rollout.state == RolloutState.ROLLING_BACK:
        running_back = _("A rollback is running. It finishes before anything else can start.")
    return _of_table(seen, actor, running_back)


def _cannot(actor: Actor, verb: str, rollout: Rollout) -> str:
    return can(actor, f"rollouts.{verb}", rollout).why_not


def _of_table(seen: Seen, actor: Actor, for_all: str) -> list[Button]:
    """Return the acts of the table in this state; `for_all` is what stands against each of them."""
    return [
        _button(
            seen,
            act.verb,
            str(act.label),
            act.icon,
            act.css,
            for_all or act.why_not(seen, actor) or act.may(actor, seen.rollout).why_not,
        )
        for act in ACTS
        if seen.rollout.state in act.shown_in and act.is_shown(seen)
    ]


def _button(seen: Seen, name: str, label: str, icon: str, css: str, why_not: str) -> Button:
    url = reverse(f"rollouts:{name}", args=[seen.rollout.pk])
    return Button(name, label, icon, "" if why_not else css, url, why_not)
