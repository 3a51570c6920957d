"""Nineteen thousand agents that only send heartbeats: memory, CPU, and what is written for them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.gateway import stores
from bench.gateway.fleet import HEARTBEAT_S
from bench.gateway.load import Load
from bench.gateway.servers import GatewayServer, Server
from bench.gateway.table import Row, median

# A backend that has nothing more to do reports what it wrote after ten seconds.
_REPORTED_S = 11.0
# A process grows once for what it does for the first time: the first stage is not counted.
_STAGES = 5
_STANDING_S = 1.0
_LEASE = "agents_gatewaylease"
_SWEPT = "agents_agentstatus"


def measure(
    gateway: GatewayServer,
    echo: Server,
    loads: dict[Server, Load],
    *,
    agents: int,
    seconds: float,
) -> Iterator[Row]:
    """Yield memory, rows written and the CPU share. The echo is looked at for half as long."""
    kib = {server: _fill(server, load, agents) for server, load in loads.items()}
    yield _memory_row(kib[gateway], kib[echo], agents)
    shares = {}
    for server, load in loads.items():
        load.beat(agents / HEARTBEAT_S)
        if isinstance(server, GatewayServer):
            server.wait_written()
            time.sleep(_REPORTED_S)
        rows, flushed = _written(server)
        sent = load.ask("stats")["beats"]
        cpu, began = server.cpu_s(), time.monotonic()
        time.sleep(seconds if server is gateway else seconds / 2)
        elapsed = time.monotonic() - began
        shares[server] = (server.cpu_s() - cpu) / elapsed * 100
        if isinstance(server, GatewayServer):
            time.sleep(_REPORTED_S)
            after, flushed_after = _written(server)
            beats = load.ask("stats")["beats"] - sent
            yield _rows(rows, after, flushed_after - flushed, agents, beats, seconds)
        load.beat(0)
    yield Row(
        f"{agents:,} agents, heartbeat each {HEARTBEAT_S:.0f} s, CPU",
        "%",
        shares[gateway],
        shares.get(echo),
        15.0,
        note="of one core, writing last seen included",
    )


def _fill(server: Server, load: Load, agents: int) -> list[float]:
    """Bring all agents in by stages; return by how much RSS grew in each but the first, KiB an
    agent."""
    grown: list[float] = []
    there, before = 0, 0
    for stage in range(1, _STAGES + 1):
        wanted = agents * stage // _STAGES
        load.connect(wanted)
        if isinstance(server, GatewayServer):
            server.wait_written()
        time.sleep(_STANDING_S)
        now = server.rss_kib()
        if there:
            grown.append((now - before) / (wanted - there))
        there, before = wanted, now
    return grown


def _memory_row(gateway: list[float], echo: list[float], agents: int) -> Row:
    note = (
        f"growth of RSS from {agents // _STAGES:,} to {agents:,} agents in {len(gateway)} stages, "
        f"{min(gateway):.1f} to {max(gateway):.1f} (echo {min(echo):.1f} to {max(echo):.1f})"
    )
    return Row("memory per idle agent", "KiB", median(gateway), median(echo), 24.0, note=note)


def _written(server: Server) -> tuple[dict[str, int], float]:
    """Return rows written by table, and agents that went through the flusher."""
    if not isinstance(server, GatewayServer):
        return {}, 0.0
    return stores.written_rows(), server.metrics()["opamp_gateway_flush_agents_sum", ""]


def _rows(
    before: dict[str, int],
    after: dict[str, int],
    flushed: float,
    agents: int,
    beats: int,
    seconds: float,
) -> Row:
    """Return the row about writes: agents flushed, and rows of tables the sweep does not touch."""
    grown = {
        table: count - before.get(table, 0)
        for table, count in after.items()
        if count != before.get(table, 0) and table not in {_LEASE, _SWEPT}
    }
    swept = after[_SWEPT] - before[_SWEPT]
    note = f"{beats:,} heartbeats; the sweep wrote {swept:,} rows in about {seconds:.0f} s"
    if grown:
        note += "; " + ", ".join(f"{table} {count:,}" for table, count in sorted(grown.items()))
    return Row(
        f"{agents:,} agents, rows beyond the last-seen sweep",
        "rows",
        flushed + sum(grown.values()),
        None,
        0.0,
        note=note,
    )
