"""The gateway's numbers beside a bare aiohttp echo of the same messages, in one run.

    python -m bench.gateway [--rows messages,fleet,push,kill,idle] [--agents 10000] [--json]

The server under test has core 0 for itself (with the echo, which is idle meanwhile); PostgreSQL,
Redis, the load and this program have the other cores. Exits 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.gateway import stores  # isort: skip - pins, then starts the stores
from bench.gateway import fleet as whole_fleet
from bench.gateway import idle, messages
from bench.gateway.core import Usage
from bench.gateway.fleet import Fleet
from bench.gateway.load import Load, LoadError, compiled
from bench.gateway.servers import (
    EchoServer,
    GatewayServer,
    Lag,
    Server,
    ServerError,
    lag_quantile,
    lag_sum,
)
from bench.gateway.table import Row, table
from bench.machine import machine

ROWS = ("messages", "fleet", "push", "kill", "idle")
LAG_BUDGET_MS = 50.0
AnyServer = TypeVar("AnyServer", bound=Server)


class Run:
    """One run: what was asked for, and what belongs to no single row."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.lags: list[Lag] = []
        self.others: list[float] = []

    def rows(self) -> Iterator[Row]:
        """Yield all rows asked for, one after the other."""
        chosen = self.asked.rows
        if "messages" in chosen:
            yield from self._messages()
        if {"fleet", "push", "kill"} & set(chosen):
            yield from self._fleet()
        if "idle" in chosen:
            yield from self._idle()
        if self.lags:
            late = lag_sum(self.lags)
            yield Row(
                "loop lag during all of this, p99",
                "ms",
                lag_quantile(late, 0.99) * 1000,
                None,
                LAG_BUDGET_MS,
                note=f"from its metrics, rounded up to a bucket; p50 <= "
                f"{lag_quantile(late, 0.5) * 1000:g} ms, of {max(late.values()):,.0f} readings",
            )

    def _messages(self) -> Iterator[Row]:
        agents = min(messages.AGENTS, self.asked.agents)
        with self._both(agents) as (gateway, echo, loads):
            yield from messages.measure(
                gateway,
                echo,
                loads,
                agents=agents,
                seconds=self.asked.seconds,
                rounds=self.asked.rounds,
            )

    def _fleet(self) -> Iterator[Row]:
        chosen, agents = self.asked.rows, self.asked.agents
        ours, bare = Fleet(), Fleet()
        accepts = 2 if "fleet" in chosen else 1
        for turn in range(accepts):
            is_last = turn == accepts - 1
            pushes = self.asked.rounds if is_last and "push" in chosen else 0
            with self._alone(EchoServer, agents) as (e, load):
                whole_fleet.come(e, load, agents, bare)
                whole_fleet.push_echo(e, load, agents, pushes, bare)
            with self._alone(GatewayServer, agents) as (g, load):
                whole_fleet.come(g, load, agents, ours)
                whole_fleet.push_gateway(g, load, agents, pushes, ours)
                if is_last and "fleet" in chosen:
                    yield from whole_fleet.rows(ours, bare, agents)
                if pushes:
                    yield whole_fleet.push_row(ours, bare, agents)
                if is_last and "kill" in chosen:
                    rows, lag = whole_fleet.kill(g, load, agents)
                    self.lags.append(lag)
                    yield from rows

    def _idle(self) -> Iterator[Row]:
        agents = min(19_000, round(self.asked.agents * 1.9))
        with self._both(agents) as (gateway, echo, loads):
            yield from idle.measure(
                gateway, echo, loads, agents=agents, seconds=self.asked.idle_seconds
            )

    @contextmanager
    def _both(self, agents: int) -> Iterator[tuple[GatewayServer, EchoServer, dict[Server, Load]]]:
        """Run both servers at once, each with a fleet of its own."""
        with (
            self._one(GatewayServer(stores.SERVER_CORES, stores.DIRECTORY), agents) as (g, ours),
            self._one(EchoServer(stores.SERVER_CORES, stores.DIRECTORY), agents) as (e, bare),
            self._watched(g, e),
        ):
            yield g, e, {g: ours, e: bare}

    @contextmanager
    def _alone(
        self, kind: Callable[[set[int], Path], AnyServer], agents: int
    ) -> Iterator[tuple[AnyServer, Load]]:
        """Run one server with a fleet of its own."""
        server = kind(stores.SERVER_CORES, stores.DIRECTORY)
        with self._one(server, agents) as (server, load), self._watched(server):
            yield server, load

    @contextmanager
    def _one(self, server: AnyServer, agents: int) -> Iterator[tuple[AnyServer, Load]]:
        """Run a server and a load that is not yet connected."""
        load = None
        try:
            server.start()
            load = Load(server.port, agents, stores.DIRECTORY, stores.OTHER_CORES)
            yield server, load
            if isinstance(server, GatewayServer):
                self.lags.append(server.lag())
        finally:
            if load is not None:
                load.stop()
            # Not asked to end: it would take its time over closing what is closed already.
            server.kill()

    @contextmanager
    def _watched(self, *servers: Server) -> Iterator[None]:
        """Note how much of the core others took."""
        usage = Usage(min(stores.SERVER_CORES), servers)
        yield
        self.others.append(usage.others())


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        prog="bench.gateway", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {','.join(ROWS)}")
    parser.add_argument("--agents", type=int, default=10_000, help="for fleet, push and kill")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each stream of messages")
    parser.add_argument("--rounds", type=int, default=3, help="of streams and of pushes")
    parser.add_argument("--idle-seconds", type=float, default=40.0, help="that idle agents last")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    asked.rows = asked.rows.split(",")
    unknown = set(asked.rows) - set(ROWS)
    if unknown:
        parser.error(f"--rows: {sorted(unknown)[0]} is not one of {', '.join(ROWS)}")
    return asked


def main() -> int:
    asked = parse()
    try:
        compiled()
        return show(asked)
    except (LoadError, ServerError) as error:
        print(error, file=sys.stderr)
        return 2


def show(asked: argparse.Namespace) -> int:
    """Measure, print, and return the exit code."""
    before, began = machine(), time.monotonic()
    run, rows = Run(asked), []
    for row in run.rows():
        rows.append(row)
        if not asked.json:
            print(f"  {time.monotonic() - began:5.0f} s  {row.what}", file=sys.stderr)
    missed = [row for row in rows if row.verdict == "MISS"]
    others = max(run.others, default=0.0)
    if asked.json:
        about = {"machine": before, "others_on_core": others, "rows": [r.as_dict() for r in rows]}
        print(json.dumps(about, indent=2))
    else:
        print(f"{before}\n")
        print(table(rows))
        print(
            f"\n{len(missed)} of {sum(row.budget is not None for row in rows)} budgets missed, "
            f"{time.monotonic() - began:.0f} s. Others took up to {others:.0%} of the server's core."
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
