"""Ask for the signature of a version, keep one that was made elsewhere, and trust or distrust keys.

The signer is another process (`certs.signing`); it fills the rows made here (security.md R32, R33).
"""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import SignedVersion, SigningKey
from agents.signing.signature import (
    BadKey,
    key_id,
    public_pem,
    read_public_key,
    signed_bytes,
    verifies,
)
from console.lib import hints
from console.lib.problems import Invalid, Missing, Refused
from console.lib.texts import text

_NAME = re.compile(r"[\w .@:-]{1,100}")


def ask(
    *,
    config: str,
    version: int,
    config_hash: str,
    now: datetime,
    signature: str = "",
    key: SigningKey | None = None,
) -> None:
    """Make the row that the signer fills, in the transaction that makes the version."""
    uploaded = SignedVersion.Origin.UPLOAD if signature else ""
    SignedVersion.objects.create(
        config_name=config,
        version=version,
        body_id=config_hash,
        key=key,
        signature=signature,
        origin=uploaded,
        asked_at=now,
    )


def ask_for_way_back(*, config_hashes: list[str], config: str, newest: int, now: datetime) -> None:
    """Ask for manifests that say these older versions take the place of `newest` (R33), in the
    transaction that decides the way back."""
    SignedVersion.objects.filter(
        config_name=config, body_id__in=config_hashes, version__lt=newest
    ).update(rollback_of=newest, asked_at=now)


def key_of(config_hash: str, signature: str) -> SigningKey:
    """Return the trusted key that made this signature of a config. Raises Invalid when none did."""
    content = signed_bytes(config_hash)
    for key in SigningKey.objects.filter(bad_at=None):
        if verifies(read_public_key(key.public_pem), signature, content):
            return key
    trusted = SigningKey.objects.filter(bad_at=None).count()
    raise Invalid.at(
        "signature",
        text("signing.no_key_fits", hash=config_hash, trusted=trusted),
        code="bad_signature",
    )


def trust_key(*, pem: str, name: str, by: Actor, now: datetime | None = None) -> SigningKey:
    """Believe signatures by this public key (PEM) from now on. Raises Denied, Invalid, Refused."""
    require(by, "signing_keys.write")
    if not _NAME.fullmatch(name):
        raise Invalid.at("name", text("signing.bad_name", read=name[:60]))
    try:
        public = read_public_key(pem)
    except BadKey as error:
        raise Invalid.at("public_key", text("signing.bad_key", why=error.says)) from error
    at = now or timezone.now()
    with transaction.atomic():
        key, is_new = SigningKey.objects.get_or_create(
            key_id=key_id(public),
            defaults={
                "name": name,
                "public_pem": public_pem(public),
                "is_ours": False,
                "added_at": at,
                "added_by": by.name,
            },
        )
        if not is_new:
            raise Refused("signing.known_key", code="exists", key=key.key_id, name=key.name)
        _record(by, "key.added", key, at)
    return key


def mark_key_bad(*, kid: str, reason: str, by: Actor, now: datetime | None = None) -> int:
    """Stop believing a key that may be in other hands. Returns how many versions lose a signature;
    the signer signs them again with its own key. Raises Denied, Invalid, Missing, Refused."""
    require(by, "signing_keys.write")
    if len(reason.strip()) < 10:
        raise Invalid.at("reason", text("signing.short_reason"))
    at = now or timezone.now()
    with transaction.atomic():
        key = SigningKey.objects.select_for_update().filter(pk=kid).first()
        if key is None:
            raise Missing("signing.missing_key", key=kid[:64])
        if key.bad_at is not None:
            raise Refused("signing.bad_already", key=key.key_id, code="done")
        key.bad_at, key.bad_by, key.bad_why = at, by.name, reason
        key.save(update_fields=["bad_at", "bad_by", "bad_why"])
        lost = SignedVersion.objects.filter(key=key).exclude(signature="").count()
        _record(by, "key.marked_bad", key, at, reason, {"versions": lost})
        transaction.on_commit(lambda: hints.publish(hints.SIGNED))
    return lost


def _record(
    by: Actor,
    act: str,
    key: SigningKey,
    at: datetime,
    reason: str = "",
    details: dict[str, object] | None = None,
) -> None:
    audit.record(
        actor=by,
        act=act,
        object_kind="signing_key",
        object_id=key.key_id,
        object_name=key.name,
        reason=reason,
        details=details,
        at=at,
    )
