"""A turn of the issuer's worker. May run twice or never: the rows say what is next."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import SYSTEM
from certs.actions.pause import pause_rotation
from certs.issuers.base import IssuingFailed
from certs.loop.authority import bench_of, note_trouble
from certs.loop.issuing import Bench
from certs.loop.look import look_at
from certs.loop.requests import take_requests
from certs.models import Certificate, RotationPause
from certs.models.querysets import wake, wake_reverted
from certs.rotation.facts import RotationRules
from certs.rotation.pace import LAST, OfferRoom, PaceFacts, issuances_in, pace
from certs.rotation.states import CertificateState, Origin
from certs.successors import renew
from console.lib import logs
from console.lib.texts import text

logger = logging.getLogger(__name__)

LONGEST_RUN_S = 8.0
MOST_LOOKS, MOST_RENEWALS = 500, 500
POISON = timedelta(seconds=60)
_S = CertificateState
_NEWS = (_S.INSTALLED, _S.SUPERSEDED)
_BAD_NEWS = (_S.FAILED, _S.ROLLED_BACK)


def tick(now: datetime, every_s: float = 1.0) -> int:
    """Take everything that is due a step further. Returns the number of looks."""
    took = take_requests(now)
    try:
        bench = bench_of(now)
    except IssuingFailed as trouble:
        note_trouble(trouble, now)
        return took
    if bench is None:
        return took
    wake(now)
    wake_reverted(now, now - bench.rules.reverted_every)
    begin_renewals(now)
    began = time.monotonic()
    due = Certificate.objects.due(now).order_by("next_look_at").values_list("pk", flat=True)
    looks = _look_at_all(due[:MOST_LOOKS], bench, now, began)
    room = room_now(bench.rules, now)
    return looks + _look_at_all(_with_room(room, bench.rules, every_s, now), bench, now, began)


def begin_renewals(now: datetime) -> int:
    """Begin the successors of certificates that are due for renewal. Returns how many."""
    begun = 0
    for certificate_id in Certificate.objects.due_for_renewal(now).values_list("pk", flat=True)[
        :MOST_RENEWALS
    ]:
        with transaction.atomic():
            certificate = (
                Certificate.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
                .select_related("agent", "request")
                .filter(pk=certificate_id, state=_S.INSTALLED, renew_at__lte=now)
                .first()
            )
            if certificate is not None:
                renew(certificate, now)
                begun += 1
    return begun


def room_now(rules: RotationRules, now: datetime) -> OfferRoom:
    """Return how much may be offered now; begins a pause when too many have failed."""
    paused = RotationPause.objects.filter(ended_at=None).exists()
    last = RotationPause.objects.exclude(ended_at=None).order_by("-ended_at").first()
    since = max(
        now - timedelta(days=1),
        last.ended_at if last and last.ended_at else now - timedelta(days=1),
    )
    settled = (
        Certificate.objects.filter(state__in=[*_NEWS, *_BAD_NEWS], offered_at__gt=since)
        .exclude(origin=Origin.REQUEST)
        .order_by("-since")
        .values_list("state", flat=True)[:LAST]
    )
    waiting = Certificate.objects.waiting_for_room(now).exclude(origin=Origin.REQUEST)
    found = pace(
        PaceFacts(
            due=waiting.count(),
            in_flight=Certificate.objects.in_flight().count(),
            outcomes=[state in _NEWS for state in settled],
            is_paused=paused,
        ),
        rules,
    )
    if found.must_pause:
        pause_rotation(by=SYSTEM, why=text("cert.too_many_failed"), now=now)
    return found


def _with_room(room: OfferRoom, rules: RotationRules, every_s: float, now: datetime) -> list[int]:
    """Return those that may be issued or offered in this turn: what agents asked for and what is urgent,
    then renewals."""
    most = min(issuances_in(every_s, rules), room.requests)
    waiting = Certificate.objects.waiting_for_room(now)
    urgent_by = now + rules.urgent_before
    asked = waiting.filter(origin=Origin.REQUEST) | waiting.filter(needed_by__lt=urgent_by)
    first = list(asked.values_list("pk", flat=True)[:most])
    left = min(most - len(first), room.renewals)
    if left <= 0:
        return first
    others = waiting.exclude(origin=Origin.REQUEST).exclude(pk__in=first)
    return [*first, *others.values_list("pk", flat=True)[:left]]


def _look_at_all(ids: Iterable[int], bench: Bench, now: datetime, began: float) -> int:
    looks = 0
    for certificate_id in list(ids):
        if time.monotonic() - began > LONGEST_RUN_S:
            break
        looks += _look(certificate_id, bench, now)
    return looks


def _look(certificate_id: int, bench: Bench, now: datetime) -> int:
    """Look at one; one that cannot be looked at is pushed on, so that it does not hold up the others."""
    try:
        with logs.bind(certificate=certificate_id):
            return int(look_at(certificate_id, bench, now))
    except Exception:
        logger.exception(
            "a look failed, the certificate is pushed on", extra={"certificate": certificate_id}
        )
        Certificate.objects.filter(pk=certificate_id).update(next_look_at=now + POISON)
        return 1
