"""The loops that take rollouts and rollbacks forward: one row a transaction, from where it stands to
where it has to wait again.

A tick may run twice or never; the rows say what is next. A row that cannot be decided is pushed on
and shows its error, so that it does not hold up the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from psycopg.errors import QueryCanceled

from console.lib import hints, logs
from console.lib.texts import Text, text
from rollouts.delivering.joiners import welcome
from rollouts.engine.facts import Counts
from rollouts.engine.sending import is_urgent
from rollouts.engine.states import PhaseState, RolloutState
from rollouts.loop.look import look_on
from rollouts.models import Phase, Rollback, Rollout
from rollouts.models.querysets import due
from rollouts.rollback import waves

logger = logging.getLogger(__name__)

POISON_S = 30.0
MAX_ERROR = 2000
POISON_ROLLBACK_S = 5.0  # a way back is tried sooner again
MOST_PER_RUN, LONGEST_RUN_S = 500, 8.0


def tick_one(now: datetime) -> bool:
    """Take the most overdue rollout on to where it has to wait. False when nothing is due."""
    return _look(lambda: Rollout.objects.claim_due(now), now)


def _look(claim: Callable[[], Rollout | None], now: datetime) -> bool:
    """Take the claimed rollout on to where it has to wait. False when there was none to claim."""
    rollout_id = None
    try:
        with transaction.atomic():
            rollout = claim()
            if rollout is None:
                return False
            rollout_id = rollout.pk
            with logs.bind(rollout=rollout_id):
                look_on(rollout, now)
    except Exception as error:
        if rollout_id is None:
            raise
        logger.exception("a tick failed, the rollout is pushed on", extra={"rollout": rollout_id})
        _push_on(Rollout, rollout_id, error, now + timedelta(seconds=POISON_S))
    return True


def look_at_news(rollout_ids: Collection[int], now: datetime) -> int:
    """Look at once at those of these rollouts that are being sent: who confirmed makes room for the
    next. Returns the number of looks.

    A hint asks for this. A rollout that somebody looks at in this moment is hinted at again, because
    that look may have begun before the news came; one whose look failed waits for its time. Where
    nobody waits for room and many have still to answer, the clock is soon enough: a look costs
    something.
    """
    sending = Phase.objects.filter(
        state=PhaseState.DEPLOYING,
        rollout_id__in=rollout_ids,
        rollout__state=RolloutState.RUNNING,
        rollout__tick_error="",
    )
    looks, held = 0, []
    for phase in sending.order_by("rollout_id"):
        if not is_urgent(Counts.from_dict(phase.counts)):
            continue
        done = _look_again_and_again(phase.rollout_id, now)
        if not done:
            held.append(f"rollout:{phase.rollout_id}")
        looks += done
    if held:
        hints.publish(hints.NEWS, " ".join(held))
    return looks


def _look_again_and_again(rollout_id: int, now: datetime) -> int:
    """Look at a rollout as often as it wants to be looked at again at once: offers are written in
    slices. Returns the number of looks, 0 when somebody else holds it."""
    began, at = time.monotonic(), now
    for looks in range(MOST_PER_RUN):
        if not _look(partial(Rollout.objects.claim, rollout_id), at):
            return looks
        at = now + timedelta(seconds=time.monotonic() - began)
        if not Rollout.objects.filter(pk=rollout_id, next_tick_at__lte=at).exists():
            return looks + 1
    return MOST_PER_RUN


def tick_all() -> int:
    """Tick until nothing is due or the run has been long enough. Returns the number of looks."""
    began, done = time.monotonic(), 0
    while done < MOST_PER_RUN and time.monotonic() - began < LONGEST_RUN_S:
        if not tick_one(timezone.now()):
            break
        done += 1
    return done


def welcome_all() -> int:
    """Give late joiners the last completed version of their config. Returns how many got it."""
    with transaction.atomic():
        return welcome(timezone.now())


def rollback_tick_all() -> int:
    """Take every due rollback further until none is due. Returns the number of looks."""
    began, done = time.monotonic(), 0
    while done < MOST_PER_RUN and time.monotonic() - began < LONGEST_RUN_S:
        now = timezone.now()
        line = Rollback.objects.filter(due(now)).order_by("next_tick_at")
        looks = sum(rollback_tick_one(pk, now) for pk in line.values_list("pk", flat=True)[:50])
        if not looks:
            break
        done += looks
    return done


def rollback_tick_one(rollback_id: int, now: datetime) -> bool:
    """Take one rollback a step further. False when it is not due, held by another, or failed."""
    try:
        return waves.tick_one(rollback_id, now)
    except Exception as error:
        logger.exception("a rollback tick failed", extra={"rollback": rollback_id})
        _push_on(Rollback, rollback_id, error, now + timedelta(seconds=POISON_ROLLBACK_S))
        return False


def _push_on(
    model: type[Rollout] | type[Rollback], pk: int, error: Exception, at: datetime
) -> None:
    model._default_manager.filter(pk=pk).update(next_tick_at=at, tick_error=_say(error))


def _say(error: Exception) -> Text | str:
    """Say why a look failed, in words where an operator can do something about it."""
    if isinstance(error.__cause__, QueryCanceled):
        return text("look.unanswered", seconds=settings.WORKER_STATEMENT_TIMEOUT_S)
    return f"{type(error).__name__}: {error}"[:MAX_ERROR]
