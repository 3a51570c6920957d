"""Cuts the connections of credentials that were taken away (R30), and has TLS follow what is trusted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection

from agents.gateway.connections import Connection
from agents.gateway.database import AWAY
from agents.gateway.sockets.auth import Doorkeeper
from agents.gateway.tls.current import CurrentTls
from agents.gateway.tls.told import Told
from agents.gateway.writing.store import Store
from agents.opamp.websocket import frames

logger = logging.getLogger(__name__)

_FILES_S = 10.0


class Revoking:
    """Has the doorkeeper read credentials again; at once after `look_now`."""

    def __init__(
        self,
        keeper: Doorkeeper,
        connections: Collection[Connection],
        tls: CurrentTls | None,
        store: Store,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._connections = connections
        self._tls = tls
        self._is_asked = False
        self._files_seen_at = time.monotonic()

    def look_now(self) -> None:
        """Do not wait for the next minute: somebody says that a credential or a file has changed."""
        self._is_asked = True
        self._files_seen_at = 0.0

    async def run(self, every_s: float, port: int) -> None:
        """Look until cancelled. While the database is away nobody is cut. `port` names this gateway."""
        while True:
            asked, self._is_asked = self._is_asked or self._has_other_files(), False
            try:
                if await self._keeper.reload(force=asked):
                    self._cut()
            except AWAY as error:
                self._is_asked |= asked
                logger.warning("Credentials could not be read again", extra={"error": str(error)})
            if self._tls is not None:
                self._tls.renew(self._keeper.certificates.bundle)
                await self._tell(self._tls.take_untold(), port)
            await asyncio.sleep(every_s)

    async def _tell(self, changes: list[Told], port: int) -> None:
        """Write changes to the audit log; what PostgreSQL cannot take now is in the log only."""
        for change in changes:
            try:
                await self._store.write_tls_change(port, change.act, change.details)
            except AWAY as error:
                logger.warning("PostgreSQL is away", extra={"error": str(error)})

    def _has_other_files(self) -> bool:
        """Look at the TLS files every ten seconds."""
        if self._tls is None or time.monotonic() - self._files_seen_at < _FILES_S:
            return False
        self._files_seen_at = time.monotonic()
        return self._tls.has_other_files()

    def _cut(self) -> None:
        stands = self._keeper.judge()
        for connection in list(self._connections):
            if not stands(connection.principal):
                logger.info("Cut a revoked credential", extra={"address": connection.address})
                connection.close(frames.POLICY_VIOLATION, "the credential was revoked")
