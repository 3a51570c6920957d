"""The issuer of this worker, and the authority that stands for it in the database."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from agents.actions.trust import trust_authority
from agents.models import TrustedAuthority
from certs.issuers.base import Issuer, IssuingFailed
from certs.issuers.builtin import load_builtin
from certs.loop.entrance import usual_entrance
from certs.loop.issuing import Bench
from certs.loop.rules import rules
from certs.models import Authority, Certificate
from certs.rotation.schedule import BadRules
from certs.rotation.states import CertificateState
from console.lib.certificates import fingerprint_of, read_pem

logger = logging.getLogger(__name__)

_said: list[str] = []


def bench_of(now: datetime) -> Bench | None:
    """Return what to work with, None when no authority is set. Raises IssuingFailed, with what would
    mend it; the files are read anew each turn, so that they can be mended."""
    if not settings.CERTIFICATES_CA_FILE:
        return None
    issuer = load_builtin(
        Path(settings.CERTIFICATES_CA_FILE), Path(settings.CERTIFICATES_CA_KEY_FILE)
    )
    try:
        usual, found = usual_entrance(), rules()
    except OSError as error:
        raise IssuingFailed(
            "issuing.no_file", may_pass=True, path=str(error.filename), why=error.strerror or ""
        ) from error
    except BadRules as problem:
        raise IssuingFailed(problem.says.code, may_pass=True, **problem.says.params) from problem
    _said.clear()
    return Bench(issuer, _authority_of(issuer, now), usual, found)


def note_trouble(trouble: IssuingFailed, now: datetime) -> None:
    """Say why nothing can be issued: in the log when it is new, and on all that waits for it."""
    if _said != [str(trouble)]:
        _said[:] = [str(trouble)]
        logger.error("No certificate can be issued", extra={"why": str(trouble)})
    Certificate.objects.filter(state=CertificateState.PENDING, next_look_at__lte=now).exclude(
        why=trouble.says
    ).update(why=trouble.says)


def _authority_of(issuer: Issuer, now: datetime) -> Authority:
    """Return the row of the active authority; the first one is made so. Raises IssuingFailed when
    another one is active: a CA is not replaced by replacing a file (its agents would be cut)."""
    fingerprint = fingerprint_of(read_pem(issuer.authority_pem())[0])
    active = (
        Authority.objects.select_related("trusted").filter(state=Authority.State.ACTIVE).first()
    )
    if active is not None:
        if active.trusted.fingerprint != fingerprint:
            raise IssuingFailed(
                "issuing.other_authority",
                may_pass=True,
                active=active.trusted.fingerprint[:16],
                found=fingerprint[:16],
            )
        if active.trusted.retired_at is not None:
            raise IssuingFailed("issuing.authority_retired", may_pass=True, name=str(active))
        return active
    return _activate(issuer, now)


def _activate(issuer: Issuer, now: datetime) -> Authority:
    with transaction.atomic():
        trusted = trust_authority(
            name="Tidegate agents", pem=issuer.authority_pem(), by=SYSTEM, now=now
        )
        TrustedAuthority.objects.filter(pk=trusted.pk).update(is_ours=True)
        authority, _ = Authority.objects.update_or_create(
            trusted=trusted,
            defaults={"issuer": issuer.name, "state": Authority.State.ACTIVE, "since": now},
        )
        audit.record(
            actor=SYSTEM,
            act="ca.activated",
            object_kind="authority",
            object_id=authority.pk,
            object_name=trusted.name,
            details={"fingerprint": trusted.fingerprint, "issuer": issuer.name},
            at=now,
        )
    return authority
