"""`rollouts/{id}/wait`: answer when a rollout is where a script waits for it, or the time is up.

A waiting request looks at one row every half second and holds no database connection between
looks. How many may wait at once is bounded; a process that stops lets them go at once with 503,
so that a script asks again and meets the next process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import params
from console.api.rollouts.answers import rollout_view
from console.api.rollouts.revisions import etag
from console.api.rollouts.views import rollout_of
from console.api.shapes import rollouts as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.durations import BadValue, parse_duration
from console.lib.problems import FieldError, Invalid, Transient
from console.lib.processes.stopping import stopping
from console.lib.texts import text as say
from rollouts.engine.states import FINAL_STATES, PhaseState
from rollouts.models import Phase, Rollout

LOOK_EVERY_S = 0.5
DEFAULT_S = 60.0
LONGEST = timedelta(minutes=10)
_room = threading.BoundedSemaphore(64)


class Wait(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollouts_wait",
        parameters=[params.UNTIL, params.TIMEOUT],
        responses=shapes.Waited,
    )
    def get(self, request: Request, pk: int) -> Answer[shapes.Waited]:
        """The rollout, once it is finished, waits for approval, or has reached a phase.

        A rollout that is finished is answered whatever was waited for: nothing more will happen.
        """
        rollout = rollout_of(self, pk)
        until = params.UNTIL.of(request) or "finished"
        if until not in ("finished", "awaiting_approval"):
            _check_phase(rollout, until)
        timeout_s = _timeout_s(request)
        with _a_place():
            there = _wait(rollout.pk, until, timeout_s)
        rollout = rollout_of(self, pk)
        return Answer(
            {**rollout_view(rollout), "timed_out": not there},
            headers={"ETag": etag(rollout.revision)},
        )


def is_there(rollout_id: int, until: str) -> bool:
    """Tell whether the wait is over; at most two small queries."""
    states = Rollout.objects.filter(pk=rollout_id).values_list("state", flat=True)
    if states.first() in FINAL_STATES:
        return True
    if until == "finished":
        return False
    phases = Phase.objects.filter(rollout=rollout_id)
    if until == "awaiting_approval":
        return phases.filter(state=PhaseState.AWAITING_APPROVAL).exists()
    return phases.filter(name=until).exclude(state=PhaseState.PENDING).exists()


def _wait(rollout_id: int, until: str, timeout_s: float) -> bool:
    """Return True when it is so, False when the time is up. Raises Transient when we stop."""
    give_up_at = time.monotonic() + timeout_s
    while not is_there(rollout_id, until):
        left_s = give_up_at - time.monotonic()
        if left_s <= 0:
            return False
        if not connection.in_atomic_block:
            connection.close()  # back to the pool while nothing is asked
        if stopping.wait(min(LOOK_EVERY_S, left_s)):
            raise Transient("api.restarts")
    return True


@contextmanager
def _a_place() -> Iterator[None]:
    if not _room.acquire(blocking=False):
        raise Transient("api.too_many_wait")
    try:
        yield
    finally:
        _room.release()


def _check_phase(rollout: Rollout, name: str) -> None:
    names = [phase.name for phase in rollout.phases.all()]
    if name not in names:
        known = ", ".join(["finished", "awaiting_approval", *names])
        raise Invalid(
            "api.unknown_word",
            name="until",
            read=name[:100],
            known=known,
            errors=[FieldError("until", say("api.one_of", known=known))],
        )


def _bad_timeout(bad: Exception) -> Invalid:
    """Return the error of a timeout that is none, or more than a clock holds."""
    what = bad.says if isinstance(bad, BadValue) else str(bad)
    says = say("api.bad_timeout", what=what)
    return Invalid(says, errors=[FieldError("timeout", what)])


def _timeout_s(request: Request) -> float:
    text = params.TIMEOUT.of(request)
    if not text:
        return DEFAULT_S
    try:
        # A bare number is seconds here: scripts compute it.
        asked = parse_duration(f"{text}s" if text.isascii() and text.isdecimal() else text)
        if asked > LONGEST:
            raise BadValue("api.long_wait")
    except (BadValue, OverflowError) as bad:
        raise _bad_timeout(bad) from bad
    return asked.total_seconds()
