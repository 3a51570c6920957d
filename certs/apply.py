"""The one writer of the states of certificates (style.md section 3).

Each change is checked against `certs.rotation.states`, and writes the audit row and the line of the
agent's history in the caller's transaction; the caller holds the lock of the row. Names of events are
those of security.md section 9: `cert.` and the state that is reached.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from agents.models import AgentEvent
from certs.models import Certificate
from certs.rotation.states import CERTIFICATE_TABLE, CertificateState
from console.lib import hints
from console.lib.texts import Text, to_column
from console.lib.transitions import next_state


def begin_certificate(
    *, by: Actor, now: datetime, why: Text | str = "", **fields: Any
) -> Certificate:
    """Write down that a certificate is wanted: pending, to be looked at when its time has come."""
    certificate = Certificate.objects.create(
        state=CertificateState.PENDING,
        since=now,
        created_at=now,
        created_by=by.name,
        why=why,
        **{"next_look_at": now, **fields},
    )
    _tell(certificate, "pending", by, now, why)
    return certificate


def change_certificate(
    certificate: Certificate,
    act: str,
    *,
    by: Actor,
    now: datetime,
    why: Text | str = "",
    **fields: Any,
) -> None:
    """Take a locked certificate one step further. Raises NotAllowed when the table has no such step."""
    certificate.state = next_state(CERTIFICATE_TABLE, act, certificate.state)
    certificate.since = certificate.next_look_at = now
    certificate.why = why
    for name, value in fields.items():
        setattr(certificate, name, value)
    certificate.save(update_fields=["state", "since", "next_look_at", "why", *fields])
    _tell(certificate, certificate.state, by, now, why)


def approve_certificate(
    certificate: Certificate, *, by: Actor, now: datetime, why: Text | str
) -> None:
    """Write down that a person approved a pending certificate."""
    certificate.is_approved, certificate.why, certificate.next_look_at = True, "", now
    certificate.save(update_fields=["is_approved", "why", "next_look_at"])
    _tell(certificate, "approved", by, now, why)


def note_reverted(certificate: Certificate, *, by: Actor, now: datetime) -> None:
    """Write down that the agent of an installed certificate is back on the one before (R24)."""
    certificate.reverted_at = now
    certificate.save(update_fields=["reverted_at"])
    _tell(certificate, "reverted", by, now)


def _tell(
    certificate: Certificate, word: str, by: Actor, now: datetime, why: Text | str = ""
) -> None:
    details: dict[str, object] = {
        "certificate": certificate.pk,
        "fingerprint": certificate.fingerprint,
        "origin": certificate.origin,
        "attempt": certificate.attempt,
    }
    audit.record(
        actor=by,
        act=f"cert.{word}",
        object_kind="certificate",
        object_id=certificate.pk,
        object_name=str(certificate),
        reason=why,
        details={**details, "agent": certificate.agent_id, "says": certificate.says},
        at=now,
    )
    AgentEvent.objects.create(
        agent_id=certificate.agent_id,
        at=now,
        kind=f"cert_{word}",
        details={**details, "why": to_column(why)},
    )
    transaction.on_commit(lambda: hints.mark_dirty("certificates", f"agent:{certificate.agent_id}"))
