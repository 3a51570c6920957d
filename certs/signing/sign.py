"""Signs what waits: versions just saved, manifests about to expire, all that a bad key had signed.

One transaction a batch, rows claimed with SKIP LOCKED: a signer that dies signs them again.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from agents.models import SignedVersion, SigningKey
from agents.signing.manifest import LIFETIME, Manifest
from agents.signing.signature import key_id, public_pem, signed_bytes
from certs.signing.signer import CannotSign, Signer, configured
from console.lib import hints
from console.lib.texts import Text, text

logger = logging.getLogger(__name__)

_BATCH = 100
_FILLED = [
    *("key", "signature", "origin"),
    *("manifest", "manifest_key", "manifest_signature"),
    *("expires_at", "signed_at", "error"),
]


def sign_waiting(now: datetime) -> int:
    """Sign what waits with the configured signer. Returns how many versions were signed.

    What cannot be signed keeps the reason in its row, where pages and the API show it.
    """
    try:
        signer = configured()
    except CannotSign as error:
        _note(error.says, now)
        return 0
    if signer is None:
        return 0
    key = _own_key(signer, now)
    if key.bad_at is not None:
        _note(text("signer.key_is_bad", key=key.key_id), now)
        return 0
    signed = 0
    while batch := _sign_batch(signer, key, now):
        signed += batch
    return signed


def _own_key(signer: Signer, now: datetime) -> SigningKey:
    """Return the row of the signer's key; the first use of a key makes it."""
    public = signer.public_key
    with transaction.atomic():
        key, is_new = SigningKey.objects.get_or_create(
            key_id=key_id(public),
            defaults={
                "name": "signer",
                "public_pem": public_pem(public),
                "is_ours": True,
                "added_at": now,
                "added_by": SYSTEM.name,
            },
        )
        if is_new:
            audit.record(
                actor=SYSTEM,
                act="key.used",
                object_kind="signing_key",
                object_id=key.key_id,
                at=now,
            )
    return key


def _sign_batch(signer: Signer, key: SigningKey, now: datetime) -> int:
    with transaction.atomic():
        waiting = SignedVersion.objects.waiting(now).order_by("pk")
        rows = list(waiting.select_for_update(skip_locked=True, of=("self",))[:_BATCH])
        done = []
        for row in rows:
            try:
                _sign(row, signer, key, now)
            except CannotSign as error:
                row.error = error.says
                row.save(update_fields=["error"])
                logger.warning("A config could not be signed", extra={"error": str(error)})
                break
            done.append(row)
        SignedVersion.objects.bulk_update(done, _FILLED)
        for row in done:
            audit.record(
                actor=SYSTEM,
                act="config.signed",
                object_kind="config_version",
                object_id=row.body_id,
                object_name=f"{row.config_name} v{row.version}",
                details={"key_id": row.key_id, "origin": row.origin},
                at=now,
            )
        if done:
            transaction.on_commit(lambda: hints.mark_dirty("configs"))
            transaction.on_commit(lambda: hints.publish(hints.SIGNED))
    return len(done)


def _sign(row: SignedVersion, signer: Signer, key: SigningKey, now: datetime) -> None:
    """Fill one row. A signature that others made stays, unless their key went bad."""
    if not row.signature or row.key is None or row.key.bad_at is not None:
        row.signature = signer.sign(signed_bytes(row.body_id))
        row.key, row.origin = key, SignedVersion.Origin.SIGNER
    manifest = Manifest(
        config=row.config_name,
        version=row.version,
        config_hash=row.body_id,
        environment=settings.CONFIG_SIGNING_ENVIRONMENT,
        not_before=now,
        expires=now + LIFETIME,
        key_id=key.key_id,
        rollback_of=row.rollback_of,
    )
    row.manifest = manifest.text()
    row.manifest_signature = signer.sign(row.manifest.encode())
    row.manifest_key = key
    row.expires_at, row.signed_at, row.error = manifest.expires, now, ""


def _note(error: Text, now: datetime) -> None:
    """Keep with everything that waits why it does."""
    waiting = SignedVersion.objects.waiting(now).exclude(error=error)
    if waiting.update(error=error):
        logger.warning("Configs cannot be signed", extra={"error": str(error)})
