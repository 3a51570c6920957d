"""The gateway's heart: agents join, speak and leave. Sockets are in `gateway/sockets`."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from agents.gateway.connections import Connection, Held
from agents.gateway.database import Database
from agents.gateway.metrics import Metrics
from agents.gateway.options import Options
from agents.gateway.refusals import Refusals
from agents.gateway.registry.adoption import restore
from agents.gateway.registry.bodies import Bodies
from agents.gateway.registry.budgets import Room
from agents.gateway.registry.cursors import Cursors
from agents.gateway.registry.duplicates import Duplicates
from agents.gateway.registry.loader import Loaded, Loader
from agents.gateway.registry.registry import Registry
from agents.gateway.registry.shown_configs import ShownConfigs
from agents.gateway.registry.take_over_sql import Wanted
from agents.gateway.writing.flush import Flusher
from agents.gateway.writing.rows import Taken, at
from agents.gateway.writing.store import Store
from agents.opamp import scan
from agents.opamp.answer import push
from agents.opamp.desire import take_wish
from agents.opamp.outgoing import Rename
from agents.opamp.redact import Redactor
from agents.opamp.scan import Report
from agents.opamp.server_facts import ServerFacts
from agents.opamp.session import handle
from agents.opamp.state import Changes
from agents.opamp.uids import SIZE, as_text
from agents.opamp.websocket import frames
from agents.opamp.wire import Malformed

logger = logging.getLogger(__name__)

_UID_TAG = bytes((0x0A, SIZE))


class Gateway:
    """One gateway process: what it knows of its agents, and how they come and go."""

    def __init__(
        self,
        options: Options,
        bodies: Bodies,
        facts: ServerFacts,
        *,
        loading: Database,
        writing: Database,
        redactor: Redactor,
        on_news: Callable[[set[str]], Awaitable[None]],
    ) -> None:
        self.options = options
        self.id = uuid.uuid4()
        self.bodies = bodies
        self.facts = facts
        self.metrics = Metrics()
        self.refusals = Refusals()
        self.room = Room(options.limits.receiving_bytes)
        self.registry = Registry()
        self.connections: set[Connection] = set()
        self.polls: dict[tuple[str, int, str], Connection] = {}
        self.cursors = Cursors()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.store = Store(
            writing,
            self.metrics,
            gateway_id=self.id,
            redactor=redactor,
            on_written=self.written,
            on_news=on_news,
        )
        self.flusher = Flusher(self.store, self.metrics, options.intervals.flush_s)
        self.loader = Loader(loading, bodies, self.id, self.cursors, self.adopt)
        self.shown_configs = ShownConfigs(bodies, self.flusher.mark)
        self.duplicates = Duplicates(
            self.id,
            self.connections,
            probe_s=options.intervals.probe_s,
            new_uid=facts.new_uid,
            mark=self.flusher.mark,
        )

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a task until it is done; the loop itself does not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def receive(self, connection: Connection, payload: bytes) -> bytes | None:
        """Answer a message of an agent that has joined; None when it has to join first.

        Raises Malformed.
        """
        report = scan.split(payload)
        agent = connection.agents.get(report.uid)
        if agent is None:
            return None
        return self._handle(connection, agent, report, payload)

    async def receive_first(self, connection: Connection, payload: bytes) -> bytes:
        """Answer a message whose agent may have to join. Raises Malformed, UidRefused, AWAY."""
        report = scan.split(payload)
        agent = connection.agents.get(report.uid)
        if agent is None:
            if len(report.uid) != SIZE:
                raise Malformed(f"instance_uid has {len(report.uid)} bytes, it must have 16")
            agent = await self.join(connection, report.uid)
        return self._handle(connection, agent, report, payload)

    async def receive_poll(self, connection: Connection, payload: bytes) -> bytes:
        """Answer one HTTP request. An agent that spoke on another connection since joins anew:
        another gateway may have served it there."""
        agent = connection.agents.get(scan.split(payload).uid)
        if agent is not None and agent.connection is not connection:
            del connection.agents[agent.uid]
        elif agent is not None:
            agent.greeted = False
        return await self.receive_first(connection, payload)

    def polled_before(self, payload: bytes) -> Connection | None:
        """Return the connection of the poll before this one, by the uid that begins it."""
        uid = payload[2 : 2 + SIZE] if payload.startswith(_UID_TAG) else b""
        agent = self.registry.by_uid.get(uid)
        connection = agent.connection if agent is not None else None
        return connection if connection is not None and not connection.is_websocket else None

    def miss(self, connection: Connection, payload: bytes = b"") -> None:
        """A message is refused unread: ask its agent for the full state, with the next answer or
        when the sweep finds room for it, unless it says the same again. Every agent here, when
        nothing says whose it was.
        """
        uid = payload[2 : 2 + SIZE] if payload.startswith(_UID_TAG) else b""
        agent = connection.agents.get(uid)
        if agent is not None:
            agent.miss(hash(payload))
            return
        for one in connection.agents.values():
            one.miss()

    def _handle(self, connection: Connection, agent: Held, report: Report, payload: bytes) -> bytes:
        now = time.time()
        raw_hash = hash(payload) if report.parts or agent.missed else 0
        answer = handle(agent, report, self.facts, now, raw_hash)
        if agent.changes is not None and agent.changes.requests:
            _sign(agent.changes, connection)
        if agent.shown_config is not None:
            self.shown_configs.note(agent)
        if agent.connection is not connection and agent.connection is not None:
            # The older connection of a contested agent has spoken: it is alive.
            connection.alive += 1
        if scan.DISCONNECT in report.parts:
            self.leave(connection, agent, "agent_disconnect", now)
        elif agent.changes is not None:
            self.flusher.mark(agent)
        return answer if self.facts.wrap is None else self.facts.wrap(answer)

    async def join(self, connection: Connection, uid: bytes) -> Held:
        """Load the agent and take it over for this connection: before its first message here."""
        held = self.registry.by_uid.get(uid)
        ordered = next((a for a in connection.agents.values() if a.ordered_uid == uid), None)
        principal = connection.principal
        known = ordered or held
        wanted = Wanted(
            uid=uid,
            keep=known.session_id if known and self._goes_on(known, connection) else None,
            fresh=uuid.uuid4(),
            transport=connection.kind,
            address=connection.address,
            binding=principal.binding,
            labels=principal.labels,
            connection=connection,
            rename_of=ordered.id if ordered is not None else None,
            only_agent=principal.agent_id,
            only_uid=principal.uid,
        )
        if connection.is_websocket:
            return await self._load(wanted, held)
        # A poll is not left waiting. The load goes on: the row may be taken over already.
        task = asyncio.get_running_loop().create_task(self._load(wanted, held), name="load")
        self.keep(task)
        async with asyncio.timeout(self.options.limits.load_s):
            return await asyncio.shield(task)

    async def _load(self, wanted: Wanted, held: Held | None) -> Held:
        if held is None:
            return await self.loader.load(wanted)
        # What is in memory is newer than the row about to be read: keep it until then.
        held.joining += 1
        try:
            return await self.loader.load(wanted)
        finally:
            held.joining -= 1

    def _goes_on(self, agent: Held, connection: Connection) -> bool:
        """Whether a session outlives the join: HTTP polls with one credential, and a rename on the
        same socket. By who a session speaks for a new certificate is known to be in use."""
        before = agent.connection
        return before is not None and (
            before is connection
            or (
                not (connection.is_websocket or before.is_websocket)
                and before.principal.name == connection.principal.name
            )
        )

    def adopt(self, loaded: Loaded) -> Held:
        """Make a loaded agent this gateway's own. Called by the loader, never awaits."""
        wanted, row = loaded.wanted, loaded.row
        connection = wanted.connection
        now = time.time()
        held = self.registry.by_id.get(row["id"])
        if held is not None and row["old_gateway_id"] == self.id:
            # The row can only be older than what is in memory.
            agent = held
        else:
            if held is not None:
                self.forget(held)
            agent = restore(row, wanted.uid, self.facts)
            self.registry.add(agent)
        before = agent.connection
        if agent.uid != wanted.uid:
            self._rename(agent, wanted.uid, connection)
        self._begin(agent, connection, row, before, now)
        connection.agents[wanted.uid] = agent
        if loaded.wish is not None:
            take_wish(agent, loaded.wish, now)
        self.flusher.mark(agent)
        return agent

    def _begin(
        self,
        agent: Held,
        connection: Connection,
        row: dict[str, Any],
        before: Connection | None,
        now: float,
    ) -> None:
        """Open the session, and close the one it replaces."""
        session_id: UUID = row["session_id"]
        goes_on = session_id == agent.session_id and agent.connected
        old_session_id = row["old_session_id"]
        if not goes_on:
            if row["was_connected"] and isinstance(old_session_id, UUID):
                is_here = row["old_gateway_id"] == self.id
                self.flusher.close_session(old_session_id, now, "replaced" if is_here else "moved")
            if not agent.connected:
                self.metrics.connected.inc()
            self.flusher.open_session(
                (
                    session_id,
                    agent.id,
                    self.id,
                    connection.kind,
                    connection.address,
                    connection.principal.name,
                    at(now),
                )
            )
        agent.session_id = session_id
        if before is connection:
            return
        agent.begin(connection, now, is_new_session=not goes_on)
        if agent.ordered_uid is not None:
            agent.outbox = [Rename(agent.ordered_uid)]
        self.duplicates.joined(agent, connection, before, row, now)

    def _rename(self, agent: Held, uid: bytes, connection: Connection) -> None:
        """The agent goes on under another uid, its history and sequence with it (OP-07)."""
        connection.agents.pop(agent.uid, None)
        if agent.ordered_uid == uid:
            agent.ordered_uid = None
            logger.info("Agent has its new uid", extra={"agent": agent.id, "uid": as_text(uid)})
        self.registry.rename(agent, uid)

    def leave(self, connection: Connection, agent: Held, reason: str, now: float) -> None:
        """The agent is gone from this connection (OP-08). Nothing happens if it has moved on."""
        connection.agents.pop(agent.uid, None)
        if agent.connection is not connection:
            return
        agent.end(now, reason)
        self.metrics.connected.dec()
        self.metrics.disconnects.labels(reason).inc()
        self.flusher.close_session(agent.session_id, now, reason)
        self.flusher.mark(agent)

    def close(self, connection: Connection, reason: str) -> None:
        """A transport connection is gone, and with it every agent that spoke on it."""
        now = time.time()
        self.connections.discard(connection)
        for agent in list(connection.agents.values()):
            self.leave(connection, agent, reason, now)

    def forget(self, agent: Held) -> None:
        """Drop an agent that another gateway has taken over; never mark it offline."""
        self.registry.remove(agent)
        connection, agent.connection = agent.connection, None
        if connection is None:
            return
        self.metrics.connected.dec()
        self.metrics.disconnects.labels("moved").inc()
        connection.agents.pop(agent.uid, None)
        if connection.is_websocket and not connection.agents:
            connection.close(frames.NORMAL, "the agent has another connection")

    def written(self, taken: Taken, lost: set[int]) -> None:
        """After a flush: forget agents that have left or moved."""
        for agent, _ in taken:
            if agent.id in lost:
                self.forget(agent)
            elif not agent.connected and agent.changes is None and not agent.joining:
                self.registry.remove(agent)

    def push(self, agent: Held) -> bool:
        """Send what must be said now over the agent's WebSocket. True when something was sent.

        A slow reader gets nothing more until it has caught up: the state is remembered, never a
        queue of messages.
        """
        connection = agent.connection
        if connection is None or not connection.is_websocket or connection.is_lagging:
            return False
        payload = push(agent, self.facts, time.time())
        if agent.changes is not None:
            self.flusher.mark(agent)
        if not payload:
            return False
        connection.send(payload if self.facts.wrap is None else self.facts.wrap(payload))
        self.metrics.pushes.inc()
        return True


def _sign(changes: Changes, connection: Connection) -> None:
    """Write to certificate requests who the connection spoke for when they came."""
    for asked in changes.requests.values():
        asked.principal = asked.principal or connection.principal.name
