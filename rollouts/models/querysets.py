"""Questions about sets of rollouts and approvals, in the words of the spec. Chainable."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from rollouts.engine.states import ACTIVE_STATES, FINAL_STATES

if TYPE_CHECKING:
    from accounts.actor import Actor
    from rollouts.models import Rollout


# No loop asks to be called later than this, so what is due later was written before a clock stepped
# back, and is looked at now.
LONGEST_WAIT = timedelta(seconds=35)

# Whose work a rollout is, as paths from it: none of these people approves it (four eyes). Read for
# one rollout by `Rollout.involved_ids`, for many by `ApprovalQuerySet.involving`.
INVOLVED = ("created_by", "started_by", "version__author")


def due(now: datetime) -> Q:
    """Return the condition on rows that a loop must look at now."""
    return Q(next_tick_at__lte=now) | Q(next_tick_at__gt=now + LONGEST_WAIT)


class RolloutQuerySet(models.QuerySet["Rollout"]):
    def visible_to(self, actor: Actor) -> Self:
        """Rollouts inside the actor's scope. Every page and API list starts here."""
        return self.all()

    def active(self) -> Self:
        """Rollouts that hold their agents: running, paused, completing, rolling back."""
        return self.filter(state__in=ACTIVE_STATES)

    def finished(self) -> Self:
        return self.filter(state__in=FINAL_STATES)

    def claim_due(self, now: datetime) -> Rollout | None:
        """Lock and return the most overdue rollout that nobody else holds, else None."""
        return self.filter(due(now)).order_by("next_tick_at").with_config().unlocked().first()

    def claim(self, rollout_id: int) -> Rollout | None:
        """Lock and return one rollout, None when it is gone or somebody else holds it."""
        return self.filter(pk=rollout_id).with_config().unlocked().first()

    def lock(self, rollout_id: int) -> Rollout | None:
        """Lock and return one rollout, waiting for whoever holds it."""
        found = self.filter(pk=rollout_id).with_config()
        return found.select_for_update(of=("self",), no_key=True).first()

    def unlocked(self) -> Self:
        """Take rows that nobody holds: a loop goes on with another one instead of waiting."""
        return self.select_for_update(of=("self",), no_key=True, skip_locked=True)

    def with_config(self) -> Self:
        return self.select_related("config", "version", "previous_version", "started_by")

    def for_list(self) -> Self:
        """Everything a list row shows: three queries whatever the number of rows."""
        return self.select_related(
            "config", "version", "previous_version", "created_by", "started_by"
        ).prefetch_related("phases")

    def for_detail(self) -> Self:
        """Everything a rollout's page shows about the rollout itself."""
        return self.for_list().select_related("rollback")

    def for_back_test(self) -> Self:
        """What a replay reads about the rollouts themselves: two queries."""
        return self.select_related("rollback").prefetch_related("phases")


class ApprovalQuerySet(models.QuerySet["Approval"]):  # type: ignore[name-defined]
    def waiting(self) -> Self:
        return self.filter(state="waiting")

    def visible_to(self, actor: Actor) -> Self:
        """Approvals of rollouts inside the actor's scope."""
        return self.all()

    def involving(self, user_id: int) -> Self:
        """Approvals whose rollout or version this person wrote, edited or started (four eyes)."""
        edited = Q(phase__rollout__editors__contains=[user_id])
        paths = (Q(**{f"phase__rollout__{path}": user_id}) for path in INVOLVED)
        return self.filter(reduce(or_, paths, edited))

    def for_list(self) -> Self:
        return self.select_related(
            "phase__rollout__config",
            "phase__rollout__version",
            "phase__rollout__previous_version",
            "phase__rollout__started_by",
            "decided_by",
        )
