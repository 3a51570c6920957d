"""Links to read how a rollout went without an account: made, revoked, opened (for incident channels)."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import can, require
from console.lib.problems import Invalid, Missing, Refused
from console.lib.texts import text
from rollouts.models import Rollout, ShareLink
from rollouts.models.share_link import digest, new_secret

SHORTEST, USUAL, LONGEST = timedelta(minutes=5), timedelta(days=7), timedelta(days=30)
MOST = 50  # links of one rollout that open
MAX_NOTE = 200
SEEN_EVERY = timedelta(minutes=1)


def share(
    *,
    rollout_id: int,
    by: Actor,
    life: timedelta = USUAL,
    note: str = "",
    now: datetime | None = None,
) -> tuple[ShareLink, str]:
    """Make a link. The second value is its secret, never available again.

    Raises Denied, Missing, Invalid (life, note), Refused (never started, too many links).
    """
    require(by, "rollouts.share")
    now, note = now or timezone.now(), note.strip()
    if not SHORTEST <= life <= LONGEST:
        raise Invalid.at("expires_in", text("share.bad_life", most=LONGEST.days))
    if len(note) > MAX_NOTE or "\x00" in note:
        raise Invalid.at("note", text("share.long_note", most=MAX_NOTE))
    with transaction.atomic():
        rollout = Rollout.objects.visible_to(by).filter(pk=rollout_id).first()
        if rollout is None:
            raise Missing("rollout.missing", number=rollout_id)
        if rollout.started_at is None:
            raise Refused("share.not_started", code="wrong_state", number=rollout.number)
        if opening(rollout, now) >= MOST:
            raise Refused("share.too_many", code="too_many", most=MOST)
        secret = new_secret()
        link = ShareLink.objects.create(
            rollout=rollout,
            digest=digest(secret),
            shown_prefix=secret[:10],
            note=note,
            created_by=by.user,
            created_by_name=by.name,
            created_at=now,
            expires_at=now + life,
        )
        _record("share.created", link, by)
    return link, secret


def opening(rollout: Rollout, now: datetime) -> int:
    """Return how many links of a rollout open now."""
    return ShareLink.objects.filter(rollout=rollout, revoked_at=None, expires_at__gt=now).count()


def revoke_share(*, link_id: int, by: Actor, now: datetime | None = None) -> ShareLink:
    """Revoke a link: from then on it opens nothing. Raises Denied, Missing."""
    require(by, "rollouts.share")
    with transaction.atomic():
        locked = ShareLink.objects.select_related("rollout").select_for_update(
            of=("self",), no_key=True
        )
        link = locked.filter(pk=link_id).first() if link_id < 2**63 else None
        if link is None:
            raise Missing("share.missing")
        if link.revoked_at is None:
            link.revoked_at, link.revoked_by_name = now or timezone.now(), by.name
            link.save(update_fields=["revoked_at", "revoked_by_name"])
            _record("share.revoked", link, by)
    return link


def opened(secret: str, now: datetime) -> ShareLink | None:
    """Return the link that a secret opens, None for any other: unknown, expired and revoked take the
    same way. It is looked up by its hash, so that the time it takes tells nothing of a secret.

    A link opens as long as who made it may still make one.
    """
    sent = digest(secret)
    link = ShareLink.objects.select_related("created_by").filter(digest=sent).first()
    is_same = hmac.compare_digest(link.digest if link is not None else "0" * 64, sent)
    if link is None or not is_same or not link.is_valid(now):
        return None
    if link.created_by is not None and not can(Actor.of(link.created_by), "rollouts.share"):
        return None
    not_lately = Q(last_used_at=None) | Q(last_used_at__lt=now - SEEN_EVERY)
    ShareLink.objects.filter(not_lately, pk=link.pk).update(last_used_at=now)
    return link


def _record(act: str, link: ShareLink, by: Actor) -> None:
    audit.record(
        actor=by,
        act=act,
        object_kind="rollout",
        object_id=link.rollout_id,
        object_name=link.rollout.number,
        details={
            "link": link.pk,
            "begins": link.shown_prefix,
            "note": link.note,
            "expires_at": link.expires_at.isoformat(),
        },
    )
