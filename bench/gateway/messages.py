"""CPU per message: heartbeats, 2 KB statuses that change nothing, 2 KB statuses that are stored.

Both servers stand on the same core with as many agents; they are loaded in turn at the same rate,
in the other order each round. CPU of the gateway is counted until its flusher has written all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.gateway import stores
from bench.gateway.load import CHANGED, HEARTBEAT, STATUS, Load
from bench.gateway.servers import GatewayServer, Server
from bench.gateway.table import Row, median

AGENTS = 2000
# Above this the gateway's own limit of ten messages a second and agent would be near.
_PER_AGENT_S = 2.5
_KINDS = {
    HEARTBEAT: ("CPU per heartbeat", 1.0, 1.3),
    STATUS: ("CPU per 2 KB status, unchanged", 0.6, 1.3),
    CHANGED: ("CPU per 2 KB status, changed and stored", 0.4, 2.0),
}


@dataclass
class Samples:
    """What one kind of message cost on one server, in each round."""

    cpu_us: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    load_share: float = 0.0
    unanswered: int = 0
    database_us: list[float] = field(default_factory=list)


def measure(
    gateway: GatewayServer,
    echo: Server,
    loads: dict[Server, Load],
    *,
    agents: int,
    seconds: float,
    rounds: int,
) -> Iterator[Row]:
    """Yield one row for each kind of message."""
    for server, load in loads.items():
        load.connect(agents)
        _settle(server)
    for kind, (what, part, budget) in _KINDS.items():
        rate = agents * _PER_AGENT_S * part
        found = {gateway: Samples(), echo: Samples()}
        order: list[Server] = [echo, gateway]
        for _ in range(rounds):
            for server in order:
                _one(server, loads[server], kind, rate, seconds, found[server])
            order.reverse()
        ours, bare = found[gateway], found[echo]
        note = (
            f"{rate:,.0f}/s, p99 {median(ours.p99_ms):.1f} ms (echo {median(bare.p99_ms):.1f}), "
            f"load used {max(ours.load_share, bare.load_share):.0%} of its core"
        )
        if kind == CHANGED:
            note += f", PostgreSQL {median(ours.database_us):.0f} us"
        if ours.unanswered or bare.unanswered:
            note += f", UNANSWERED {ours.unanswered} (echo {bare.unanswered})"
        yield Row(what, "us", median(ours.cpu_us), median(bare.cpu_us), budget, True, note)


def _one(server: Server, load: Load, kind: int, rate: float, seconds: float, into: Samples) -> None:
    before, database = server.cpu_s(), stores.database_cpu_s()
    answer = load.stream(kind, rate, seconds)
    _settle(server)
    into.cpu_us.append((server.cpu_s() - before) / answer["sent"] * 1e6)
    into.database_us.append((stores.database_cpu_s() - database) / answer["sent"] * 1e6)
    into.p99_ms.append(answer["p99_s"] * 1000)
    into.load_share = max(into.load_share, answer["cpu_s"] / answer["elapsed_s"])
    into.unanswered += answer["sent"] - answer["answers"]


def _settle(server: Server) -> None:
    if isinstance(server, GatewayServer):
        server.wait_written()
