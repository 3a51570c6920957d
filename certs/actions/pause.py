"""Hold up renewals, and let them go on (security.md R28)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from certs.models import RotationPause
from console.lib import hints
from console.lib.problems import Refused
from console.lib.texts import Text


def pause_rotation(*, by: Actor, why: Text | str, now: datetime | None = None) -> RotationPause:
    """Offer no renewals until somebody resumes; what expires within a day goes on. Raises Denied, and
    Refused when they are held up already."""
    require(by, "certificates.pause")
    try:
        with transaction.atomic():
            pause = RotationPause.objects.create(
                began_at=now or timezone.now(), began_by=by.name, why=why
            )
            _record("cert.rotation_paused", pause, by, why)
    except IntegrityError:
        raise Refused("cert.paused_already") from None
    return pause


def resume_rotation(*, by: Actor, reason: str, now: datetime | None = None) -> RotationPause:
    """Go on with renewals: what failed before counts no more. Raises Denied, and Refused when nothing
    is held up."""
    require(by, "certificates.resume")
    with transaction.atomic():
        pause = (
            RotationPause.objects.select_for_update(of=("self",), no_key=True)
            .filter(ended_at=None)
            .first()
        )
        if pause is None:
            raise Refused("cert.not_paused")
        pause.ended_at, pause.ended_by = now or timezone.now(), by.name
        pause.save(update_fields=["ended_at", "ended_by"])
        _record("cert.rotation_resumed", pause, by, reason)
    return pause


def _record(act: str, pause: RotationPause, by: Actor, reason: Text | str) -> None:
    audit.record(actor=by, act=act, object_kind="rotation_pause", object_id=pause.pk, reason=reason)
    transaction.on_commit(lambda: hints.mark_dirty("certificates"))
