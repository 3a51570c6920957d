"""Find the rollout that an address names."""

from __future__ import annotations

from accounts.actor import Actor
from console.lib.problems import Missing
from rollouts.models import Rollout


def find(rollout_id: int, actor: Actor) -> Rollout:
    """Return one rollout for its page. Raises Missing, also outside the actor's scope."""
    rollout = Rollout.objects.visible_to(actor).for_detail().filter(pk=rollout_id).first()
    if rollout is None:
        raise Missing("rollout.missing", number=rollout_id)
    return rollout
