"""Agents that begin to speak are loaded and taken over in batches, many in one round trip.

While one batch is at the database, the next one gathers: no timer, and a storm of 10,000 becomes
a few statements. Who asks for a uid that is being loaded already waits for the next batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from agents.gateway.connections import Held
from agents.gateway.database import AWAY, Database
from agents.gateway.registry.bodies import Bodies
from agents.gateway.registry.cursors import Cursors
from agents.gateway.registry.take_over_sql import (
    DESIRED_OF,
    Wanted,
    bring_back,
    claim,
    find_or_make,
)
from agents.opamp.desire import Wish

Request = tuple[Wanted, asyncio.Future[Held]]
logger = logging.getLogger(__name__)

MAX_BATCH = 500
_RETRY_S = 0.5


class UidRefused(Exception):
    """The credential of the connection does not own this uid (security.md section 3.2)."""


class Loaded:
    """The row of one agent as it was when this gateway took it over, and its wish."""

    __slots__ = ("row", "wanted", "wish")

    def __init__(self, wanted: Wanted, row: dict[str, Any], wish: Wish | None) -> None:
        self.wanted = wanted
        self.row = row
        self.wish = wish


class Loader:
    """Takes requests for agents and answers each with a `Loaded`."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        gateway_id: uuid.UUID,
        cursors: Cursors,
        adopt: Callable[[Loaded], Held],
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._gateway_id = gateway_id
        self._cursors = cursors
        self._adopt = adopt
        self._waiting: list[Request] = []
        self._wake = asyncio.Event()

    async def load(self, wanted: Wanted) -> Held:
        """Wait until the agent is loaded and owned by this gateway."""
        future: asyncio.Future[Held] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Serve requests until cancelled; while the database is away they wait."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch = self._take_batch()
                try:
                    await self._serve(batch)
                except AWAY as error:
                    logger.warning("PostgreSQL is away, agents wait", extra={"error": str(error)})
                    self._waiting = batch + self._waiting
                    await asyncio.sleep(_RETRY_S)
                except Exception:
                    logger.exception("Agents could not be loaded", extra={"agents": len(batch)})
                    await self._one_by_one(batch)

    async def _one_by_one(self, batch: list[Request]) -> None:
        """Load each by itself, so that one that cannot be loaded stops no other."""
        for position, request in enumerate(batch):
            try:
                await self._serve([request])
            except AWAY:
                self._waiting = batch[position:] + self._waiting
                return
            except Exception as error:
                logger.exception("An agent could not be loaded")
                if not request[1].done():
                    request[1].set_exception(LookupError(f"the agent cannot be loaded: {error}"))

    def _take_batch(self) -> list[Request]:
        """Take up to 500 requests, each uid once, leaving out those that nobody waits for."""
        batch: list[Request] = []
        rest: list[Request] = []
        uids = set()
        for request in self._waiting:
            if request[1].done():
                continue
            if request[0].uid in uids or len(batch) >= MAX_BATCH:
                rest.append(request)
            else:
                uids.add(request[0].uid)
                batch.append(request)
        self._waiting = rest
        return batch

    async def _serve(self, batch: list[Request]) -> None:
        if not batch:
            return
        now = datetime.fromtimestamp(time.time(), UTC)
        wanted = [request[0] for request in batch]
        for one in wanted:
            one.agent_id, one.is_refused = 0, False
        async with self._database.transaction() as cursor:
            await find_or_make(cursor, wanted, now)
            wanted, later = _once_per_agent([w for w in wanted if not w.is_refused])
            rows = {row["id"]: row for row in await claim(cursor, wanted, self._gateway_id, now)}
            await bring_back(cursor, wanted, now)
        wishes = await self._wishes([w.agent_id for w in wanted])
        # No await from here on: a push read now finds every one of these agents.
        for one, future in batch:
            if one in later:
                self._waiting.append((one, future))
            elif not future.done():
                self._answer(one, future, rows, wishes)

    def _answer(
        self,
        one: Wanted,
        future: asyncio.Future[Held],
        rows: dict[int, dict[str, Any]],
        wishes: dict[int, Wish],
    ) -> None:
        row = rows.get(one.agent_id)
        if one.is_refused:
            future.set_exception(UidRefused("instance_uid does not belong to this credential"))
        elif row is None:
            future.set_exception(LookupError(f"agent {one.agent_id} is gone"))
        else:
            future.set_result(self._adopt(Loaded(one, row, wishes.get(one.agent_id))))

    async def _wishes(self, agent_ids: list[int]) -> dict[int, Wish]:
        """Read what the agents should run. Read again when a push came in between: the reader of
        pushes does not know these agents yet and would have passed over them."""
        while True:
            before = self._cursors.desired
            rows = await self._database.fetch(DESIRED_OF, agent_ids)
            await self._bodies.ensure(row[1] for row in rows)
            if self._cursors.desired == before:
                return {row[0]: Wish(*row) for row in rows}


def _once_per_agent(wanted: list[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """Split off requests that mean an agent already in the batch, under another of its uids."""
    first: list[Wanted] = []
    later: list[Wanted] = []
    ids = set()
    for one in wanted:
        (later if one.agent_id in ids else first).append(one)
        ids.add(one.agent_id)
    return first, later
