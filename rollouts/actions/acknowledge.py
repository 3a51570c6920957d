"""Say that somebody has seen a thing that needed a person: it is news again when its facts change."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from console.lib import hints
from console.lib.problems import Invalid, Missing, Stale
from console.lib.texts import text
from rollouts.attention.find import Item, needs
from rollouts.models import Acknowledgement

MAX_NOTE = 500


def acknowledge(
    *,
    kind: str,
    subject: str,
    by: Actor,
    facts: str | None = None,
    note: str = "",
    now: datetime | None = None,
) -> Acknowledgement:
    """Acknowledge one thing of `rollouts.attention`, as `facts` tell that it was seen.

    Twice is as good as once: the first one stays. Raises Denied, Invalid (a long note), Missing (it
    needs nobody any more), Stale (something else is so than was seen).
    """
    require(by, "needs.acknowledge")
    if len(note) > MAX_NOTE:
        raise Invalid.at("note", text("needs.long_note", most=MAX_NOTE))
    now = now or timezone.now()
    with transaction.atomic():
        item = _found(kind, subject, by, now)
        if facts is not None and facts != item.facts:
            raise Stale("needs.changed", now=item.says)
        if item.seen_at is not None:
            return Acknowledgement.objects.get(kind=kind, subject=subject)
        kept, _ = Acknowledgement.objects.update_or_create(
            kind=kind,
            subject=subject,
            defaults={
                "facts": item.facts,
                "by": by.user,
                "by_name": by.name,
                "note": note.strip(),
                "at": now,
            },
        )
        audit.record(
            actor=by,
            act="needs.acknowledge",
            object_kind=item.about.kind,
            object_id=(item.about.key or subject)[:64],
            reason=note.strip(),
            details={"what": item.says.to_json(), "kind": kind, "facts": item.facts},
            at=now,
        )
        transaction.on_commit(lambda: hints.mark_dirty("approvals"))
    return kept


def _found(kind: str, subject: str, by: Actor, now: datetime) -> Item:
    known = needs(by, now)
    for item in (*known.waiting, *known.seen):
        if (item.kind, item.subject) == (kind, subject):
            return item
    raise Missing("needs.gone")
