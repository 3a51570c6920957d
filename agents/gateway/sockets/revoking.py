"""Cuts the connections of credentials that were revoked (R30)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from agents.gateway.connections import Connection
from agents.gateway.database import AWAY
from agents.gateway.sockets.auth import Doorkeeper
from agents.opamp.websocket import frames

logger = logging.getLogger(__name__)


class Revoking:
    """Has the doorkeeper read its tokens again; at once after `look_now`."""

    def __init__(self, keeper: Doorkeeper, connections: Collection[Connection]) -> None:
        self._keeper = keeper
        self._connections = connections
        self._is_asked = False

    def look_now(self) -> None:
        """Do not wait for the next minute: somebody says that a token has changed."""
        self._is_asked = True

    async def run(self, every_s: float) -> None:
        """Look until cancelled. While the database is away nobody is cut."""
        while True:
            asked, self._is_asked = self._is_asked, False
            try:
                self._cut(await self._keeper.reload(force=asked))
            except AWAY as error:
                self._is_asked |= asked
                logger.warning("Tokens could not be read again", extra={"error": str(error)})
            await asyncio.sleep(every_s)

    def _cut(self, revoked: list[str]) -> None:
        for connection in list(self._connections) if revoked else ():
            if connection.principal.name in revoked:
                logger.info("Cut a revoked credential", extra={"address": connection.address})
                connection.close(frames.POLICY_VIOLATION, "the credential was revoked")
