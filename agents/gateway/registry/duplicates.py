"""Two connections with one uid: a reconnect, or two agents that share a uid? (OP-05, OP-10)

On one gateway the older WebSocket is asked for a sign of life. If it gives one, both are real and
the newcomer is told to take a new uid; if not, it was half open and is closed. Between gateways
the newest connection wins; an agent that moves back and forth three times is two agents. One that
only ever moves on is not: its gateways were killed and started again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any
from uuid import UUID

from agents.gateway.connections import Connection, Held
from agents.opamp.outgoing import Rename
from agents.opamp.websocket import frames

logger = logging.getLogger(__name__)

MOVES_OF_TWO = 2


class Duplicates:
    """Decides about agents that join while another connection has them.

    `connections` are those open now. An older one has `probe_s` for its sign of life.
    """

    def __init__(
        self,
        gateway_id: UUID,
        connections: Collection[Connection],
        *,
        probe_s: float,
        new_uid: Callable[[], bytes],
        mark: Callable[[Held], None],
    ) -> None:
        self._gateway_id = gateway_id
        self._connections = connections
        self._probe_s = probe_s
        self._new_uid = new_uid
        self._mark = mark
        self._moved: list[tuple[UUID, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def joined(
        self,
        agent: Held,
        connection: Connection,
        before: Connection | None,
        row: Mapping[str, Any],
        now: float,
    ) -> None:
        """Look at a join that replaced another connection."""
        other = row["old_gateway_id"]
        if before is not None:
            if before.is_websocket:
                self._spawn(self._probe(agent, before, connection))
            else:
                before.agents.pop(agent.uid, None)
        elif row["was_connected"] and isinstance(other, UUID) and other != self._gateway_id:
            self._moved.append((other, agent.id))
            if row["moves"] >= MOVES_OF_TWO:
                self._rename(agent, connection, row["old_address"], now)

    def take_moved(self) -> list[tuple[UUID, int]]:
        """Return which agents have come since the last call, each with the gateway it came from."""
        moved, self._moved = self._moved, []
        return moved

    async def _probe(self, agent: Held, old: Connection, new: Connection) -> None:
        """Ask the older connection for a sign of life and decide."""
        heard = old.alive
        old.ping()
        waited = 0.0
        while heard == old.alive and waited < self._probe_s and not old.closing:
            await asyncio.sleep(0.05)
            waited += 0.05
        if heard == old.alive or old.closing or old not in self._connections:
            old.agents.pop(agent.uid, None)
            if not old.agents:
                old.close(frames.NORMAL, "the agent has connected again")
            return
        if agent.connection is new:
            self._give_back(agent, old, new)

    def _give_back(self, agent: Held, old: Connection, new: Connection) -> None:
        """Both live: the agent stays with the older one, the newcomer becomes another agent."""
        fresh = self._new_uid()
        agent.change().event(
            agent.last_seen,
            "duplicate",
            address=old.address,
            other_address=new.address,
            new_uid=fresh.hex(),
        )
        logger.warning("Two agents use one uid", extra={"agent": agent.id, "new_uid": fresh.hex()})
        new.agents.pop(agent.uid, None)
        agent.connection = old
        agent.full_owed = True
        self._mark(agent)
        new.send(agent.ack + Rename(fresh).part(0))

    def _rename(self, agent: Held, connection: Connection, old_address: str, now: float) -> None:
        fresh = self._new_uid()
        agent.change().event(
            now,
            "duplicate",
            address=old_address,
            other_address=connection.address,
            new_uid=fresh.hex(),
        )
        agent.outbox = [*(agent.outbox or ()), Rename(fresh)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="duplicate")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
