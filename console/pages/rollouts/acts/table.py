"""What people do to a rollout, one row for each act: where the bar shows it and who may press it,
what its dialog says and asks, and the function that does it.

The routes, the action bar and the dialogs are made from this table. The rules themselves are checked
by the act, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.policy import Answer, can, four_eyes
from console.pages.rollouts import phases
from console.pages.rollouts.acts import dialogs, forms
from console.pages.rollouts.acts.dialogs import Dialog, Seen
from console.pages.rollouts.acts.forms import ActForm, ActGiven
from rollouts.actions.abort import abort
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.actions.discard import discard
from rollouts.actions.pause import pause
from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.actions.retry import retry
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.waive import waive
from rollouts.engine.states import ACTIVE_STATES, FINAL_STATES, PhaseState, RolloutState
from rollouts.models import Rollout

Run = Callable[[Rollout, Actor, ActGiven], object]
ASKS = frozenset({PhaseState.PENDING, PhaseState.AWAITING_APPROVAL})
NOWHERE: frozenset[RolloutState] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutAct:
    """One act. `shown_in` are the states whose bar has it, if `is_shown` says so too; any of
    `rights` opens it; `why_not` says what the rollout itself has against it, to this person.

    `words` makes the dialog, `fields` reads what it asks, `run` does it.
    """

    verb: str
    label: str | Promise
    icon: str
    words: Callable[[Seen], Dialog]
    run: Run
    fields: type[ActForm] = ActForm
    rights: tuple[str, ...] = ()
    shown_in: frozenset[RolloutState] = NOWHERE
    is_shown: Callable[[Seen], bool] = lambda _seen: True
    why_not: Callable[[Seen, Actor], str] = lambda _seen, _actor: ""
    css: str = ""

    def may(self, actor: Actor, rollout: Rollout) -> Answer:
        """Answer whether this person may open it; a no names what is missing for the act itself."""
        answers = [can(actor, verb, rollout) for verb in self.rights or (f"rollouts.{self.verb}",)]
        return next((answer for answer in answers if answer), answers[0])


def _plain(act: Callable[..., object]) -> Run:
    """Run an act that asks for nothing but a reason."""
    return lambda rollout, by, given: act(
        rollout_id=rollout.pk, by=by, reason=given.reason, seen_revision=given.revision
    )


def _decide(act: Callable[..., object]) -> Run:
    """Run an answer to a question: bound to the evidence that was shown."""
    return lambda rollout, by, given: act(
        rollout_id=rollout.pk,
        phase=given.phase,
        by=by,
        reason=given.reason,
        seen_digest=given.digest or None,
        seen_revision=given.revision,
    )


def _abort(rollout: Rollout, by: Actor, given: ActGiven) -> object:
    leaves = given.mode == "leave" or rollout.started_at is None
    return _plain(abort if leaves else rollback_rollout)(rollout, by, given)


def _waive(rollout: Rollout, by: Actor, given: ActGiven) -> object:
    return waive(
        rollout_id=rollout.pk, phase=given.phase, gate=given.gate, by=by, reason=given.reason
    )


def _retry(rollout: Rollout, by: Actor, given: ActGiven) -> object:
    return retry(rollout_id=rollout.pk, by=by, reason=given.reason)


def _has_observation(seen: Seen, _actor: Actor) -> str:
    observed = any(p.state in {PhaseState.DEPLOYING, PhaseState.OBSERVING} for p in seen.steps)
    if observed and seen.rollout.state == RolloutState.RUNNING:
        return ""
    return _("Nothing is being observed that could be skipped.")


def _asks_a_person(seen: Seen) -> bool:
    return any(p.manual and p.state in ASKS for p in seen.steps)


def _is_asked(seen: Seen, actor: Actor) -> str:
    if seen.waiting is not None and seen.rollout.state == RolloutState.PAUSED:
        return _("The rollout is paused. Resume it, then it is asked again.")
    if seen.waiting is not None:
        may = can(actor, "rollouts.approve", seen.rollout)
        return four_eyes(actor, seen.rollout.involved_ids()).why_not if may else may.why_not
    manual = next(p for p in seen.steps if p.manual and p.state in ASKS)
    says = _("%(phase)s can be approved once the phase before it has passed.")
    return says % {"phase": phases.title(manual)}


def _has_failed(seen: Seen) -> bool:
    return any(phases.counts_of(p).failed_by_state for p in seen.steps)


def _was_started(seen: Seen) -> bool:
    return seen.rollout.started_at is not None


# In the order of the bar.
ACTS: tuple[RolloutAct, ...] = (
    RolloutAct(
        verb="resume",
        label=gettext_lazy("Resume…"),
        icon="play",
        words=dialogs.resume,
        run=_plain(resume),
        shown_in=frozenset({RolloutState.PAUSED}),
    ),
    RolloutAct(
        verb="pause",
        label=gettext_lazy("Pause…"),
        icon="pause",
        words=dialogs.pause,
        run=_plain(pause),
        shown_in=ACTIVE_STATES - {RolloutState.PAUSED},
    ),
    RolloutAct(
        verb="advance",
        label=gettext_lazy("Advance now…"),
        icon="advance",
        words=dialogs.advance,
        run=_plain(advance),
        shown_in=ACTIVE_STATES,
        why_not=_has_observation,
    ),
    RolloutAct(
        verb="abort",
        label=gettext_lazy("Cancel…"),
        icon="stop",
        words=dialogs.cancel,
        run=_abort,
        shown_in=frozenset({RolloutState.SCHEDULED}),
    ),
    RolloutAct(
        verb="discard",
        label=gettext_lazy("Discard…"),
        icon="close",
        words=dialogs.discard,
        run=_plain(discard),
        shown_in=frozenset({RolloutState.DRAFT}),
    ),
    # One dialog with two ways; the right to either opens it.
    RolloutAct(
        verb="abort",
        label=gettext_lazy("Abort and roll back…"),
        icon="undo",
        css="danger",
        words=dialogs.abort,
        fields=forms.AbortForm,
        run=_abort,
        rights=("rollouts.abort", "rollouts.rollback"),
        shown_in=ACTIVE_STATES,
    ),
    RolloutAct(
        verb="approve",
        label=gettext_lazy("Approve…"),
        icon="check",
        css="primary",
        words=dialogs.approve,
        fields=forms.DecisionForm,
        run=_decide(approve),
        shown_in=ACTIVE_STATES,
        is_shown=_asks_a_person,
        why_not=_is_asked,
    ),
    RolloutAct(
        verb="retry",
        label=gettext_lazy("Retry failed…"),
        icon="retry",
        words=dialogs.retry,
        run=_retry,
        shown_in=FINAL_STATES,
        is_shown=_has_failed,
    ),
    RolloutAct(
        verb="rollback",
        label=gettext_lazy("Ask stragglers again…"),
        icon="undo",
        words=dialogs.rollback,
        run=_plain(rollback_rollout),
        shown_in=frozenset({RolloutState.ROLLBACK_INCOMPLETE}),
    ),
    RolloutAct(
        verb="rollback",
        label=gettext_lazy("Roll back…"),
        icon="undo",
        css="danger",
        words=dialogs.rollback,
        run=_plain(rollback_rollout),
        shown_in=frozenset({RolloutState.SUCCEEDED, RolloutState.ABORTED}),
        is_shown=_was_started,
    ),
    # Not on the bar: beside the question, and beside the gate.
    RolloutAct(
        verb="reject",
        label=gettext_lazy("Reject…"),
        icon="close",
        words=dialogs.reject,
        fields=forms.DecisionForm,
        run=_decide(reject),
    ),
    RolloutAct(
        verb="waive",
        label=gettext_lazy("Override…"),
        icon="person",
        words=dialogs.waive,
        fields=forms.WaiveForm,
        run=_waive,
    ),
)
VERBS: tuple[str, ...] = tuple(dict.fromkeys(act.verb for act in ACTS))


def act_of(verb: str, rollout: Rollout) -> RolloutAct:
    """Return the act behind a verb as it is in this state: a scheduled rollout is cancelled, a
    running one aborted. In a state without it, the last of its name: the act itself says no."""
    named = [act for act in ACTS if act.verb == verb]
    return next((act for act in named if rollout.state in act.shown_in), named[-1])
