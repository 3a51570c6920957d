"""A look at one certificate: from where it stands to where it has to wait again.

Issuing asks somebody else, so it happens between two transactions: the row is lent for a minute, and
what comes back is written only if the row is still where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import SYSTEM
from agents.actions.command import make_key
from agents.actions.trust import revoke_certificate, supersede_certificate
from agents.models import DesiredSettings
from certs import successors
from certs.apply import change_certificate, note_reverted
from certs.loop import entrance
from certs.loop.issuing import Bench, issue_one
from certs.loop.load import load_facts
from certs.loop.offering import offer_one, withdraw
from certs.models import Certificate
from certs.rotation.decide import RotationStep, decide
from certs.rotation.offer import Entrance, entrance_of
from certs.rotation.schedule import Validity, renewal_at
from certs.rotation.states import CertificateState
from console.lib.texts import Text, said, text

_LENT = timedelta(minutes=1)
_MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class _Halt:
    """Where a look has come to within its transaction: `must_issue` is what happens outside."""

    must_issue: bool


def look_at(certificate_id: int, bench: Bench, now: datetime) -> bool:
    """Take one certificate on. False when somebody else holds it, or it is gone."""
    blocked = _blocked(certificate_id, bench.usual)
    with transaction.atomic():
        certificate = _claim(certificate_id)
        if certificate is None:
            return False
        halt = _go_on(certificate, bench, blocked, now)
    if halt.must_issue:
        issue_one(certificate_id, bench, now)
        with transaction.atomic():
            again = _claim(certificate_id)
            if again is not None and again.state == CertificateState.ISSUED:
                _go_on(again, bench, blocked, now)
    return True


def _claim(certificate_id: int) -> Certificate | None:
    return (
        Certificate.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("agent", "authority__trusted")
        .filter(pk=certificate_id)
        .first()
    )


def _blocked(certificate_id: int, usual: Entrance) -> Text | str:
    """Return why nothing may be offered to the agent, "" for nothing. Connects, so outside of any
    transaction."""
    waits = (CertificateState.PENDING, CertificateState.ISSUED)
    row = Certificate.objects.filter(pk=certificate_id, state__in=waits).values("agent_id").first()
    if row is None:
        return ""
    offered = DesiredSettings.objects.filter(agent_id=row["agent_id"]).first()
    return entrance.why_not(entrance_of(offered.settings if offered else None, usual))


def _go_on(certificate: Certificate, bench: Bench, blocked: Text | str, now: datetime) -> _Halt:
    for _ in range(_MOST_STEPS):
        loaded = load_facts(certificate, blocked)
        step = decide(loaded.facts, bench.rules, now)
        if step.reverted:
            _reverted(certificate, bench, now)
        if step.act == "issue":
            certificate.next_look_at = now + _LENT
            certificate.save(update_fields=["next_look_at"])
            return _Halt(must_issue=True)
        if step.must_make_key:
            make_key(agent_id=certificate.agent_id, by=SYSTEM, now=now)
        if step.act is None:
            _wait(certificate, step, loaded.seen)
            return _Halt(must_issue=False)
        _carry_out(certificate, step, loaded.facts.agent.says, bench, now)
    return _Halt(must_issue=False)


def _wait(certificate: Certificate, step: RotationStep, seen: str) -> None:
    fields: dict[str, object] = {"next_look_at": step.look_at, "seen": seen}
    if step.why and said(step.why) != said(certificate.why):
        fields["why"] = step.why
    for name, value in fields.items():
        setattr(certificate, name, value)
    certificate.save(update_fields=list(fields))


def _carry_out(
    certificate: Certificate, step: RotationStep, says: str, bench: Bench, now: datetime
) -> None:
    act = step.act or ""
    if act == "offer":
        offer_one(certificate, bench, now)
    elif act == "prove":
        _install(certificate, step, bench, now)
    elif act == "revoke":
        change_certificate(certificate, act, by=SYSTEM, now=now, why=step.why)
        if certificate.registered_id is not None:
            revoke_certificate(
                certificate_id=certificate.registered_id, by=SYSTEM, reason=said(step.why), now=now
            )
    else:
        has_failed = act in {"fail", "roll_back"}
        words = {"says": says} if has_failed else {}
        change_certificate(certificate, act, by=SYSTEM, now=now, why=step.why, **words)
        if has_failed:
            withdraw(certificate)
    successors.after(certificate, act, now)


def _install(certificate: Certificate, step: RotationStep, bench: Bench, now: datetime) -> None:
    """It is in use: what the agent had before is superseded, and a retry that waits is not needed."""
    assert certificate.not_before is not None
    assert certificate.not_after is not None
    validity = Validity(certificate.not_before, certificate.not_after)
    mine = Certificate.objects.select_for_update(of=("self",), no_key=True).filter(
        agent_id=certificate.agent_id
    )
    for older in mine.filter(state=CertificateState.INSTALLED).exclude(pk=certificate.pk):
        why = text("cert.successor", successor=certificate.fingerprint[:12])
        change_certificate(older, "supersede", by=SYSTEM, now=now, why=why, renew_at=None)
        if older.registered_id is not None:
            supersede_certificate(certificate_id=older.registered_id, by=SYSTEM, now=now)
    for waiting in mine.filter(state=CertificateState.PENDING).exclude(pk=certificate.pk):
        change_certificate(waiting, "cancel", by=SYSTEM, now=now, why=text("cert.used_after_all"))
    change_certificate(
        certificate,
        "prove",
        by=SYSTEM,
        now=now,
        why=step.why,
        installed_at=now,
        renew_at=renewal_at(validity, certificate.agent.instance_uid, bench.rules),
    )


def _reverted(certificate: Certificate, bench: Bench, now: datetime) -> None:
    last = certificate.reverted_at
    if last is None or now - last >= bench.rules.reverted_every:
        note_reverted(certificate, by=SYSTEM, now=now)
        successors.after_reverting(certificate, bench.rules, now)
