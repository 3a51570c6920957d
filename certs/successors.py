"""What follows a certificate that did not arrive: another one, later and later (security.md section 4)."""

from __future__ import annotations

from datetime import datetime

from accounts.actor import SYSTEM, Actor
from agents.actions.command import refuse_certificate
from certs.apply import begin_certificate
from certs.models import Certificate
from certs.rotation.decide import retry_after
from certs.rotation.facts import RotationRules
from certs.rotation.states import CertificateState, Mode, Origin
from console.lib.texts import Text, said, text

_S = CertificateState


def after(certificate: Certificate, act: str, now: datetime) -> None:
    """Do what follows this step of a certificate."""
    if act == "refuse":
        # The agent asked, so it is answered; what Tidegate wanted itself it tries again.
        if certificate.origin == Origin.REQUEST:
            refuse_certificate(
                agent_id=certificate.agent_id, text=said(certificate.why), by=SYSTEM, now=now
            )
        else:
            _again(certificate, now)
    elif act in {"fail", "roll_back"}:
        _again(certificate, now)


def after_reverting(certificate: Certificate, rules: RotationRules, now: datetime) -> None:
    """Offer a certificate to an agent that is back on the one before, at most once a day (R24)."""
    offered = certificate.offered_at or now
    begin_certificate(
        by=SYSTEM,
        now=now,
        why=text("cert.reverted"),
        next_look_at=max(now, offered + rules.reverted_every),
        **_like(certificate, Origin.REVERTED, attempt=1),
    )


def renew(
    certificate: Certificate,
    now: datetime,
    *,
    origin: Origin = Origin.RENEWAL,
    by: Actor = SYSTEM,
    why: Text | str = "",
) -> Certificate:
    """Begin the successor of a certificate that is in use. The caller holds its lock."""
    certificate.renew_at = None
    certificate.save(update_fields=["renew_at"])
    return begin_certificate(
        by=by,
        now=now,
        why=why or text("cert.due"),
        **_like(certificate, origin, attempt=1),
    )


def _again(certificate: Certificate, now: datetime) -> None:
    begin_certificate(
        by=SYSTEM,
        now=now,
        why=text("cert.retry", attempt=certificate.attempt + 1),
        next_look_at=now + retry_after(certificate.attempt),
        **_like(certificate, Origin.RETRY, attempt=certificate.attempt + 1),
    )


def _like(certificate: Certificate, origin: Origin, *, attempt: int) -> dict[str, object]:
    """Return the fields of a certificate for the same agent and key."""
    in_use = (
        Certificate.objects.filter(agent_id=certificate.agent_id, state=_S.INSTALLED)
        .order_by("-pk")
        .first()
    )
    return {
        "agent": certificate.agent,
        # A key that was made for an agent was forgotten when it was sent: the next one gets another.
        "request": None if certificate.mode == Mode.PUSH else certificate.request,
        "mode": certificate.mode,
        "origin": origin,
        "attempt": attempt,
        "before": in_use,
        "needed_by": in_use.not_after if in_use is not None else None,
    }
