"""Signatures of the bodies a gateway holds: verified before the first delivery, sent beside it.

A signature that is there and wrong keeps its body back always; a missing one where signatures are
required (security.md R34).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from agents.gateway.database import AWAY, Database
from agents.opamp.signed_config import signature_part
from agents.signing.signed import Signed

logger = logging.getLogger(__name__)

_REFRESH_S = 60.0


class Signatures:
    """What is known of the signature of each hash; `parts` are messages ready to be sent."""

    def __init__(self, database: Database, *, is_required: bool) -> None:
        self._database = database
        self._is_required = is_required
        self._known: dict[str, Signed | None] = {}
        self._bad: set[str] = set()
        self.parts: dict[str, bytes] = {}
        self._wake = asyncio.Event()

    async def ensure(self, hashes: Iterable[str]) -> None:
        """Load and verify what is missing of these hashes."""
        missing = [one for one in set(hashes) if one and self._known.get(one) is None]
        if missing:
            await self._read(missing)

    def allows(self, config_hash: str) -> bool:
        """Tell whether this body may be sent."""
        if config_hash in self._bad:
            return False
        return not self._is_required or self._known.get(config_hash) is not None

    def forget(self, config_hash: str) -> None:
        """Drop what is known of a body that is no longer held."""
        self._known.pop(config_hash, None)
        self.parts.pop(config_hash, None)

    def look_now(self, _payload: str = "") -> None:
        """Something was signed: read again what is held."""
        self._wake.set()

    async def run(self) -> None:
        """Keep what is held current, at each hint and once a minute, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REFRESH_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._read([*self._known, *self._bad])
            except AWAY as error:
                logger.warning("Signatures are not read", extra={"error": str(error)})

    async def _read(self, hashes: list[str]) -> None:
        if not hashes:
            return
        rows = await self._database.fetch(_SIGNED, hashes)
        found = {row[0]: Signed(*row) for row in rows}
        for config_hash in hashes:
            self._put(config_hash, found.get(config_hash))

    def _put(self, config_hash: str, signed: Signed | None) -> None:
        if signed is not None and not signed.holds():
            if config_hash not in self._bad:
                logger.error(
                    "The signature of a config does not verify; it is not sent",
                    extra={"config_hash": config_hash, "key_id": signed.key_id},
                )
            self._bad.add(config_hash)
            self.forget(config_hash)
            return
        self._bad.discard(config_hash)
        self._known[config_hash] = signed
        if signed is None:
            self.parts.pop(config_hash, None)
        else:
            self.parts[config_hash] = signature_part(signed)


# The newest signature of each body by a key that is not bad.
_SIGNED = """
    SELECT DISTINCT ON (v.config_hash) v.config_hash, v.signature, k.key_id, k.public_pem,
           v.manifest, v.manifest_signature, coalesce(v.manifest_key_id, '')
    FROM agents_signedversion v JOIN agents_signingkey k ON k.key_id = v.key_id
    WHERE v.config_hash = ANY(%b) AND v.signature <> '' AND k.bad_at IS NULL
    ORDER BY v.config_hash, v.signed_at DESC NULLS LAST, v.id DESC
"""
