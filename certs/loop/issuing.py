"""Asking the issuer, and writing down what it gave."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.actor import SYSTEM
from agents.actions.trust import register_certificate
from agents.opamp.requests.signing_request import BadSigningRequest, read_signing_request
from certs import successors
from certs.apply import change_certificate
from certs.issuers.base import Identity, Issuer, IssuingFailed, Leaf, checked
from certs.models import Authority, Certificate
from certs.rotation.facts import RotationRules
from certs.rotation.offer import Entrance
from certs.rotation.schedule import Validity, is_far_too_short
from certs.rotation.states import CertificateState
from console.lib.texts import Text

logger = logging.getLogger(__name__)

_TRY_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the issuer's worker works with in one turn."""

    issuer: Issuer
    authority: Authority
    usual: Entrance
    rules: RotationRules


def issue_one(certificate_id: int, bench: Bench, now: datetime) -> None:
    """Have a pending certificate issued, checked and registered; or refused; or tried again later."""
    certificate = Certificate.objects.select_related("agent", "request").get(pk=certificate_id)
    leaf, failed = _ask(certificate, bench, now)
    with transaction.atomic():
        locked = (
            Certificate.objects.select_for_update(of=("self",), no_key=True)
            .select_related("agent")
            .get(pk=certificate_id)
        )
        if locked.state != CertificateState.PENDING:
            return
        if leaf is not None:
            _write(locked, leaf, bench, now)
        elif failed is not None and failed.may_pass:
            locked.why, locked.next_look_at = failed.says, now + _TRY_AGAIN
            locked.save(update_fields=["why", "next_look_at"])
        else:
            why: Text | str = failed.says if failed is not None else ""
            change_certificate(locked, "refuse", by=SYSTEM, now=now, why=why)
            successors.after(locked, "refuse", now)


def _ask(
    certificate: Certificate, bench: Bench, now: datetime
) -> tuple[Leaf | None, IssuingFailed | None]:
    identity = Identity(settings.CERTIFICATES_DOMAIN, certificate.agent.instance_uid)
    try:
        if certificate.request is None:
            raise IssuingFailed("issuing.no_request", may_pass=False)
        request = read_signing_request(certificate.request.csr.encode())
        issued = bench.issuer.issue(request, identity, bench.rules.lifetime, now)
        leaf = checked(issued, request.public_key, identity, now)
        if is_far_too_short(Validity(leaf.not_before, leaf.not_after), now, bench.rules):
            given, asked = leaf.not_after - now, bench.rules.lifetime
            raise IssuingFailed(
                "issuing.too_short",
                may_pass=False,
                given_s=int(given.total_seconds()),
                asked_s=int(asked.total_seconds()),
            )
    except BadSigningRequest as problem:
        return None, IssuingFailed(problem.says.code, may_pass=False, **problem.says.params)
    except IssuingFailed as problem:
        logger.warning(
            "A certificate was not issued",
            extra={"agent": certificate.agent_id, "why": str(problem)},
        )
        return None, problem
    return leaf, None


def _write(certificate: Certificate, leaf: Leaf, bench: Bench, now: datetime) -> None:
    registered = register_certificate(
        agent_id=certificate.agent_id,
        certificate_pem=leaf.pem,
        authority_id=bench.authority.trusted_id,
        by=SYSTEM,
        now=now,
    )
    change_certificate(
        certificate,
        "issue",
        by=SYSTEM,
        now=now,
        authority=bench.authority,
        registered=registered,
        chain_pem=leaf.pem,
        fingerprint=leaf.fingerprint,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        issued_at=now,
    )
