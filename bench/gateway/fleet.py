"""A whole fleet: everyone connects, idles, gets a config, and loses the gateway half-way.

The bare echo does what it can of the same (accept, idle, push) just before the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.gateway import stores
from bench.gateway.load import Load
from bench.gateway.servers import EchoServer, GatewayServer, Lag, Server
from bench.gateway.table import Row, median

HEARTBEAT_S = 30.0
_PATIENCE_S = 90.0
_STORED = """
    SELECT count(*) FROM agents_agent a
    JOIN agents_agentbody e ON e.agent_id = a.id AND e.part = 'effective_config'
    JOIN agents_agentbody h ON h.agent_id = a.id AND h.part = 'health'
    WHERE a.described_at IS NOT NULL AND a.id > %s
"""


@dataclass
class Fleet:
    """What was measured of one server in each round."""

    accept_ms: list[float] = field(default_factory=list)
    elapsed_s: list[float] = field(default_factory=list)
    slowest_s: list[float] = field(default_factory=list)
    push_s: list[float] = field(default_factory=list)
    push_cpu_s: list[float] = field(default_factory=list)
    database_ms: list[float] = field(default_factory=list)
    push_database_s: list[float] = field(default_factory=list)
    refused: int = 0


def come(server: Server, load: Load, agents: int, into: Fleet) -> None:
    """Bring all agents in; count until every first report is stored."""
    newest = stores.number("SELECT coalesce(max(id), 0) FROM agents_agent")
    database = stores.database_cpu_s()
    cpu, began = server.cpu_s(), time.monotonic()
    answer = load.connect(agents)
    if isinstance(server, GatewayServer):
        while (stored := stores.number(_STORED, newest)) < agents:
            if time.monotonic() > began + _PATIENCE_S:
                raise RuntimeError(f"{stored} of {agents} first reports are stored")
            time.sleep(0.05)
        into.elapsed_s.append(time.monotonic() - began)
    else:
        into.elapsed_s.append(answer["elapsed_s"])
    into.accept_ms.append((server.cpu_s() - cpu) / agents * 1000)
    into.database_ms.append((stores.database_cpu_s() - database) / agents * 1000)
    into.slowest_s.append(answer["slowest_handshake_s"])
    into.refused += answer["refused"]
    # What is measured next begins at rest.
    time.sleep(1.0)


def push_echo(server: EchoServer, load: Load, agents: int, times: int, into: Fleet) -> None:
    """Push configs through the echo while heartbeats go on."""
    load.beat(agents / HEARTBEAT_S)
    for turn in range(times):
        cpu = server.cpu_s()
        into.push_s.append(server.push(f"push {turn}".encode().ljust(4096, b"#")))
        into.push_cpu_s.append(server.cpu_s() - cpu)
        time.sleep(0.5)
    load.beat(0)


def push_gateway(server: GatewayServer, load: Load, agents: int, times: int, into: Fleet) -> None:
    """Push configs by SQL; each ends when the last acknowledgement is in the database."""
    ids = stores.agent_ids(agents)
    load.beat(agents / HEARTBEAT_S)
    for turn in range(times):
        config_hash = stores.upload(f"push {turn} at {time.time()}")
        cause = f"bench:{config_hash[:8]}"
        database, cpu = stores.database_cpu_s(), server.cpu_s()
        began = stores.push(ids, config_hash, cause)
        ended = stores.wait_settled(cause, agents, _PATIENCE_S)
        into.push_s.append(float("nan") if ended is None else ended - began)
        into.push_cpu_s.append(server.cpu_s() - cpu)
        into.push_database_s.append(stores.database_cpu_s() - database)
        server.wait_written()
        time.sleep(0.5)
    load.beat(0)


def rows(gateway: Fleet, echo: Fleet, agents: int) -> Iterator[Row]:
    """Yield what the rounds have shown."""
    note = f"{agents:,} agents, first full report stored; PostgreSQL {median(gateway.database_ms):.2f} ms"
    if gateway.refused:
        note += f", {gateway.refused:,} refused with 503 and told when to come again"
    yield Row(
        "accept, CPU each", "ms", median(gateway.accept_ms), median(echo.accept_ms), 0.5, note=note
    )
    yield Row("accept, all", "s", median(gateway.elapsed_s), median(echo.elapsed_s), 8.0)
    yield Row("accept, slowest handshake", "s", max(gateway.slowest_s), max(echo.slowest_s), 2.0)


def push_row(gateway: Fleet, echo: Fleet, agents: int) -> Row:
    """Return the row about pushes: the slowest counts, because all must be in time."""
    note = (
        f"{agents:,} agents, 4 KiB, from set_desired to the last outcome in the database; worst "
        f"{max(gateway.push_s):.2f} s; CPU {median(gateway.push_cpu_s):.2f} s "
        f"(echo {median(echo.push_cpu_s):.2f}), PostgreSQL {median(gateway.push_database_s):.2f} s"
    )
    return Row(
        "push a config to all", "s", median(gateway.push_s), median(echo.push_s), 1.5, note=note
    )


def kill(server: GatewayServer, load: Load, agents: int) -> tuple[list[Row], Lag]:
    """Kill -9 the gateway when a tenth has confirmed a push, start it again, look what is left.

    Returns the rows and the loop lag of the process that was killed.
    """
    ids = stores.agent_ids(agents)
    load.ask("reconnect 1")
    load.beat(agents / HEARTBEAT_S)
    before = _kept(ids)
    config_hash = stores.upload(f"killed {time.time()}")
    cause = f"bench:kill:{config_hash[:8]}"
    lag = server.lag()
    stores.push(ids, config_hash, cause)
    stores.wait_settled(cause, agents // 10, _PATIENCE_S)
    server.kill()
    confirmed = stores.number(
        "SELECT count(*) FROM agents_delivery WHERE cause = %s AND state = 'applied'", cause
    )
    server.start()
    ended = stores.wait_settled(cause, agents, _PATIENCE_S)
    load.beat(0)
    took_s = float("nan") if ended is None else ended - server.began_at
    missing = _missing(ids, before, cause, config_hash)
    note = f"{confirmed:,} were confirmed when it was killed; agents back off as opamp-go does"
    rows = [
        Row("kill -9 in a push, all confirmed after the start", "s", took_s, None, 15.0, note=note),
        Row(
            "kill -9 in a push, rows missing or wrong",
            "",
            sum(missing.values()),
            None,
            0.0,
            note=", ".join(f"{what} {count}" for what, count in missing.items()),
        ),
    ]
    return rows, lag


def _kept(ids: list[int]) -> tuple[int, int, int]:
    """Return how many deliveries, settled deliveries and lines of history these agents have."""
    deliveries, settled = stores.rows(
        "SELECT count(*), count(settled_at) FROM agents_delivery WHERE agent_id = ANY(%s)", ids
    )[0]
    return (
        deliveries,
        settled,
        stores.number("SELECT count(*) FROM agents_session WHERE agent_id = ANY(%s)", ids),
    )


def _missing(
    ids: list[int], before: tuple[int, int, int], cause: str, config_hash: str
) -> dict[str, int]:
    """Return how many rows of each kind are not there or not right."""
    deliveries, settled, sessions = _kept(ids)
    agents = stores.number("SELECT count(*) FROM agents_agent WHERE id = ANY(%s)", ids)
    desired = stores.number(
        "SELECT count(*) FROM agents_desired WHERE agent_id = ANY(%s) AND config_hash = %s",
        ids,
        config_hash,
    )
    complete = stores.number(
        "SELECT count(DISTINCT agent_id) FROM agents_delivery WHERE cause = %s "
        "AND state = 'applied' AND acknowledged_at IS NOT NULL AND settled_at IS NOT NULL",
        cause,
    )
    return {
        "agents": len(ids) - agents,
        "desired configs": len(ids) - desired,
        "confirmed deliveries": len(ids) - complete,
        "deliveries in history": abs(before[0] + len(ids) - deliveries),
        "settled in history": abs(before[1] + len(ids) - settled),
        "sessions": max(0, before[2] - sessions),
    }
