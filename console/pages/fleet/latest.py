"""The last rollouts that ended: what became of each, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from console.words import states as words
from rollouts.engine.states import FINAL_STATES
from rollouts.models import Rollback, Rollout

SHOWN = 10


@dataclass(frozen=True, slots=True)
class EndedRollout:
    """One of them. `took_s` is from its start to its end, `what` its config and version."""

    pk: int
    number: str
    what: str
    look: words.Look
    took_s: float | None


def read(actor: Actor) -> list[EndedRollout]:
    """Return those that ended last, the newest first: one query."""
    ended = Rollout.objects.visible_to(actor).filter(
        state__in=FINAL_STATES, started_at__isnull=False, finished_at__isnull=False
    )
    found = ended.select_related("config", "version", "rollback").defer("plan", "preview")
    return [_ended(rollout) for rollout in found.order_by("-finished_at", "-pk")[:SHOWN]]


def _ended(rollout: Rollout) -> EndedRollout:
    took_s = None
    if rollout.started_at is not None and rollout.finished_at is not None:
        took_s = (rollout.finished_at - rollout.started_at).total_seconds()
    return EndedRollout(
        pk=rollout.pk,
        number=rollout.number,
        what=f"{rollout.config.name} v{rollout.version.number}",
        look=_look(rollout),
        took_s=took_s,
    )


def _look(rollout: Rollout) -> words.Look:
    """How its end looks: red where the version was found bad, not where a person called it back."""
    own = words.look("rollout", rollout.shown_state)
    rollback: Rollback | None = getattr(rollout, "rollback", None)
    if rollback is not None and rollback.kind == Rollback.Kind.AUTOMATIC:
        return words.Look("bad", own.icon, own.label)
    return own
