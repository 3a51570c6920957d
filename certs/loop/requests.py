"""Requests of agents become certificates that are wanted, each once (OP-45; security.md R23)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.actor import SYSTEM
from agents.models import CertificateRequest
from certs.apply import begin_certificate, change_certificate
from certs.models import Certificate
from certs.rotation.admitting import Asking, FirstCertificates, needs_person
from certs.rotation.states import (
    FINAL_STATES,
    MISSED_STATES,
    OPEN_STATES,
    CertificateState,
    Mode,
    Origin,
)
from console.lib.texts import text

MOST_A_TURN = 200
# Who asks in a request that a gateway made for an agent (agents/gateway/registry/keys.py).
PUSHED = "gateway"
AGAIN_AFTER = timedelta(hours=12)


def take_requests(now: datetime) -> int:
    """Take the requests that nobody has taken, one a transaction. Returns how many."""
    taken = 0
    while taken < MOST_A_TURN and _take_one(now):
        taken += 1
    return taken


def _take_one(now: datetime) -> bool:
    with transaction.atomic():
        request = (
            CertificateRequest.objects.select_for_update(
                skip_locked=True, of=("self",), no_key=True
            )
            .filter(taken_at=None)
            .order_by("pk")
            .first()
        )
        if request is None:
            return False
        request.taken_at = now
        request.save(update_fields=["taken_at"])
        _answer(request, now)
    return True


def _answer(request: CertificateRequest, now: datetime) -> None:
    """Begin a certificate, unless this request has one that is on its way or in use. A person asked for
    approval is not asked twice."""
    mine = list(
        Certificate.objects.select_for_update(of=("self",), no_key=True)
        .filter(agent=request.agent)
        .exclude(state__in=sorted(FINAL_STATES))
        .order_by("pk")
    )
    if request.principal == PUSHED:
        _give_key(request, mine, now)
        return
    same = [one for one in mine if one.request_id == request.pk]
    if any(one.state in OPEN_STATES or _has_it_now(one, request, now) for one in same):
        return
    for one in mine:
        if one.state in OPEN_STATES:
            change_certificate(one, "cancel", by=SYSTEM, now=now, why=text("cert.asked_anew"))
    in_use = [one for one in mine if one.state == CertificateState.INSTALLED]
    asking = Asking(request.principal, has_certificate=bool(in_use))
    waits_for = needs_person(asking, FirstCertificates(settings.CERTIFICATES_APPROVAL))
    failed = [one for one in same if one.state in MISSED_STATES]
    begin_certificate(
        by=SYSTEM,
        now=now,
        why=waits_for or "",
        agent=request.agent,
        request=request,
        mode=Mode.CSR,
        origin=Origin.REQUEST,
        before=in_use[-1] if in_use else None,
        attempt=len(failed) + 1,
        is_approved=waits_for is None,
    )


def _give_key(request: CertificateRequest, mine: list[Certificate], now: datetime) -> None:
    """Give the key that a gateway made to the certificate that waits for one; none is left over."""
    for one in mine:
        if one.state == CertificateState.PENDING and one.mode == Mode.PUSH:
            one.request, one.next_look_at = request, now
            one.save(update_fields=["request", "next_look_at"])


def _has_it_now(certificate: Certificate, request: CertificateRequest, now: datetime) -> bool:
    """Whether the agent asks over the very certificate that this request brought it a while ago."""
    return (
        certificate.state == CertificateState.INSTALLED
        and certificate.principal == request.principal
        and certificate.issued_at is not None
        and now - certificate.issued_at < AGAIN_AFTER
    )
