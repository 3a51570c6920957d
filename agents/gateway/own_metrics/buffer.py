"""Own metrics on their way to the database: merged per agent and slot, written in batches.

A slot is a minute. An agent that exports more often gets finer slots (down to 2 s), as long as not
too many do. While PostgreSQL is away at most one slot per agent is kept; a lost slot is a gap that
gates see as such.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from agents.gateway.database import AWAY, Database
from agents.gateway.own_metrics.series import LastNumbers
from agents.own_metrics import COLUMNS, FLOWS

logger = logging.getLogger(__name__)

SLOT_S = 60.0
FINEST_SLOT_S = 2.0
MOST_FINE_AGENTS = 1_000
MOST_AGENTS = 50_000
FLUSH_S = 1.0
MAX_BATCH = 1_000
_FORGET_S = 600.0
_COLUMNS = ("agent_id", "at", "measured_at", "started_at", *COLUMNS)
_UPSERT = (
    f"INSERT INTO agents_series ({', '.join(_COLUMNS)}) "  # noqa: S608  constant names
    f"VALUES ({', '.join(['%b'] * len(_COLUMNS))}) ON CONFLICT (agent_id, at) DO UPDATE SET "
    + ", ".join(f"{column} = EXCLUDED.{column}" for column in _COLUMNS[2:])
)


class _Kept:
    """One agent: its newest sample, the slot it belongs to, and how often it exports."""

    __slots__ = ("interval_s", "sample", "slot_at", "slot_s")

    def __init__(self, sample: LastNumbers) -> None:
        self.sample = sample
        self.interval_s = SLOT_S
        self.slot_s = SLOT_S
        self.slot_at = 0.0


class SeriesBuffer:
    """Takes samples, and writes one row per agent and slot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, _Kept] = {}
        self._dirty: dict[int, None] = {}
        self._fine = 0
        self._forgotten_at = 0.0
        self._wake = asyncio.Event()
        self.dropped = 0
        self.written = 0

    def add(self, agent_id: int, sample: LastNumbers) -> bool:
        """Take a sample. False when it is one agent too many for this process."""
        kept = self._kept.get(agent_id)
        if kept is None:
            if len(self._kept) >= MOST_AGENTS:
                self.dropped += 1
                return False
            kept = self._kept[agent_id] = _Kept(sample)
        else:
            self._pace(kept, sample.measured_at - kept.sample.measured_at)
            if kept.sample.started_at != sample.started_at and sample.started_at is not None:
                kept.sample = sample  # restarted: nothing of the former life holds
            else:
                kept.sample.absorb(sample)
        kept.slot_at = sample.measured_at // kept.slot_s * kept.slot_s
        self._dirty[agent_id] = None
        self._wake.set()
        return True

    def _pace(self, kept: _Kept, passed_s: float) -> None:
        """Fit the slots of an agent to how often it exports. A second post of one export (within
        half a second) says nothing about the pace."""
        if passed_s < 0.5:
            return
        kept.interval_s = passed_s
        is_fine = passed_s < SLOT_S * 0.75
        was_fine = kept.slot_s < SLOT_S
        if is_fine and not was_fine and self._fine >= MOST_FINE_AGENTS:
            return
        self._fine += int(is_fine) - int(was_fine)
        kept.slot_s = max(FINEST_SLOT_S, float(round(passed_s))) if is_fine else SLOT_S

    async def run(self) -> None:
        """Write for ever what has come in, once a second."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(FLUSH_S)
            self._wake.clear()
            if not await self.flush():
                self._wake.set()
            self._forget(time.time())

    async def flush(self) -> bool:
        """Write what is unwritten. False when the database was away; then all of it is kept."""
        while self._dirty:
            agents = list(self._dirty)[:MAX_BATCH]
            rows = [row(agent_id, self._kept[agent_id]) for agent_id in sorted(agents)]
            for agent_id in agents:
                del self._dirty[agent_id]
            try:
                async with self._database.transaction() as cursor:
                    await cursor.executemany(_UPSERT, rows)
            except AWAY as error:
                self._dirty.update(dict.fromkeys(agents))
                logger.warning("PostgreSQL is away, own metrics wait", extra={"error": str(error)})
                return False
            except psycopg.Error as error:
                self.dropped += len(rows)
                logger.error("Own metrics could not be stored", extra={"error": str(error)})
            else:
                self.written += len(rows)
        return True

    def _forget(self, now: float) -> None:
        """Drop agents that have not been heard for ten minutes; looked at once a minute."""
        if now - self._forgotten_at < SLOT_S:
            return
        self._forgotten_at = now
        for agent_id, kept in list(self._kept.items()):
            if now - kept.sample.measured_at > _FORGET_S and agent_id not in self._dirty:
                self._fine -= int(kept.slot_s < SLOT_S)
                del self._kept[agent_id]


def row(agent_id: int, kept: _Kept) -> tuple[Any, ...]:
    """Return the row of an agent's present slot."""
    sample, flows = kept.sample, kept.sample.flows()
    said = (flows[name] if name in FLOWS else getattr(sample, name) for name in COLUMNS)
    return (
        agent_id,
        _at(kept.slot_at),
        _at(sample.measured_at),
        _at(sample.started_at) if sample.started_at is not None else None,
        *said,
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
