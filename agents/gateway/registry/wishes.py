"""What changed in the database for our agents: desired configs, settings, commands.

Read by cursor on a hint and every few seconds anyway (gateway.md section 10): Redis makes it
quicker, nothing more. Sending is done in slices, so that heartbeats get through meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from agents.gateway.connections import Held
from agents.gateway.database import AWAY, Database
from agents.gateway.registry.gateway import Gateway
from agents.gateway.registry.keys import make_key
from agents.gateway.registry.take_over_sql import DESIRED_SINCE
from agents.opamp.desire import Wish, take_wish
from agents.opamp.outgoing import Custom, FullState, NotCertified, Rename, Restart, Said
from agents.opamp.settings import Offer

logger = logging.getLogger(__name__)

SLICE = 200
ISSUING_EVERY_S = 5.0


class Wishes:
    """The cursors over what agents should run and use, and the pushes that follow."""

    def __init__(self, gateway: Gateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database
        self._wake = asyncio.Event()
        self._cursors = gateway.cursors
        self._issuing_read_at = 0.0

    def wake(self) -> None:
        """Look now: a hint has arrived."""
        self._wake.set()

    async def begin(self) -> None:
        """Start behind everything that exists: agents read their own state when they join."""
        rows = await self._database.fetch(
            "SELECT (SELECT coalesce(max(change), 0) FROM agents_desired), "
            "(SELECT coalesce(max(change), 0) FROM agents_desiredsettings)"
        )
        self._cursors.desired, self._cursors.settings = rows[0]
        await self._read_issuing()

    async def run(self) -> None:
        """Read and push until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._gateway.options.intervals.poll_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.look()
            except AWAY as error:
                logger.warning("PostgreSQL is away, pushes wait", extra={"error": str(error)})
                await asyncio.sleep(1.0)

    async def look(self) -> None:
        """Read what is new since the last look, and push it: also what was read before PostgreSQL
        went away in the middle, because its change will not be read again."""
        concerned: list[Held] = []
        if time.monotonic() - self._issuing_read_at >= ISSUING_EVERY_S:
            await self._read_issuing()
        try:
            for read in (self._read_desired, self._read_settings, self._read_commands):
                concerned += await read()
        finally:
            await self._push(dict.fromkeys(concerned))

    async def _read_desired(self) -> list[Held]:
        rows = await self._database.fetch(DESIRED_SINCE, self._cursors.desired)
        if not rows:
            return []
        await self._gateway.bodies.ensure(row[1] for row in rows)
        # No await from here to the end: an agent that joins meanwhile reads its wish itself.
        now = time.time()
        known = self._gateway.registry.by_id
        concerned = []
        for row in rows:
            agent = known.get(row[0])
            if agent is None:
                continue
            if take_wish(agent, Wish(*row), now):
                concerned.append(agent)
            if agent.changes is not None:
                self._gateway.flusher.mark(agent)
        self._cursors.desired = rows[-1][2]
        return concerned

    async def _read_issuing(self) -> None:
        """Whether anybody answers certificate requests: said to agents that greet us from now on."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT FROM agents_trustedauthority WHERE is_ours AND retired_at IS NULL)"
        )
        self._issuing_read_at = time.monotonic()
        if rows[0][0] != self._gateway.facts.issues_certificates:
            self._gateway.facts.issue_certificates(is_on=rows[0][0])

    async def _read_settings(self) -> list[Held]:
        rows = await self._database.fetch(
            "SELECT agent_id, settings, settings_hash, change FROM agents_desiredsettings "
            "WHERE change > %b ORDER BY change",
            self._cursors.settings,
        )
        concerned = []
        offers: dict[str, Offer | None] = {}
        for agent_id, settings, settings_hash, change in rows:
            self._cursors.settings = change
            agent = self._gateway.registry.by_id.get(agent_id)
            if agent is not None:
                if settings_hash not in offers:
                    offers[settings_hash] = self._gateway.facts.offer(settings, settings_hash)
                agent.wanted_settings = offers[settings_hash]
                concerned.append(agent)
        return concerned

    async def _read_commands(self) -> list[Held]:
        """Take the commands of our agents: marked as taken first, so each is said at most once."""
        waiting = await self._database.fetch(
            "SELECT DISTINCT agent_id FROM agents_command WHERE taken_at IS NULL"
        )
        known = self._gateway.registry.by_id
        ours = [row[0] for row in waiting if (a := known.get(row[0])) is not None and a.connected]
        if not ours:
            return []
        rows = await self._database.fetch(_TAKE_COMMANDS, datetime.now(UTC), ours)
        concerned = []
        for agent_id, kind, details, data in rows:
            agent = known.get(agent_id)
            if agent is None:
                continue
            if kind == "make_key":
                make_key(agent)
                self._gateway.flusher.mark(agent)
                continue
            said = _said(kind, details, bytes(data))
            if isinstance(said, Rename):
                agent.ordered_uid = said.uid
                agent.change().ordered_uid = True
            agent.outbox = [*(agent.outbox or ()), said]
            concerned.append(agent)
        return concerned

    async def _push(self, agents: Iterable[Held]) -> None:
        for position, agent in enumerate(agents, start=1):
            self._gateway.push(agent)
            while agent.outbox and agent.connected and self._gateway.push(agent):
                pass
            if position % SLICE == 0:
                await asyncio.sleep(0)


def _said(kind: str, details: dict[str, Any], data: bytes) -> Said:
    if kind == "restart":
        return Restart()
    if kind == "rename":
        return Rename(bytes.fromhex(details["new_uid"]))
    if kind == "full_state":
        return FullState()
    if kind == "no_certificate":
        return NotCertified(details["text"])
    return Custom(details["capability"], details["type"], data)


_TAKE_COMMANDS = """
    UPDATE agents_command c SET taken_at = %b
    WHERE c.id IN (
        SELECT id FROM agents_command
        WHERE taken_at IS NULL AND agent_id = ANY(%b::bigint[]) AND expires_at > now()
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    RETURNING c.agent_id, c.kind, c.details, c.data
"""
