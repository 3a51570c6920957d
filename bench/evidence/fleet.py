"""Simulated collectors of `bench.evidence.corpus` in time: a minute a step, a point of own metrics a minute."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.own_metrics import LATENCY_BOUNDS_MS
from bench.evidence.corpus import NONE, REGIONS, Case, Draw, Fault, draw, load_at, shared_load
from rollouts.analysis.cohort import PAST_S
from rollouts.analysis.points import BUCKETS, AgentSeries, Point, between

MINUTE = 60.0
_HISTORY_S = PAST_S + 5 * MINUTE
_LINGER = 0.7
_LATENCY_SPREAD = 0.3
_REQUESTS = 100
LEAVES_AFTER_S = 2 * MINUTE


@dataclass
class Collector:
    """One agent: its points so far, and what the new version did to it."""

    number: int
    region: str
    draw: Draw
    rng: random.Random
    fault: Fault = NONE
    changed_at: float | None = None
    refused: bool = False
    # When it falls back, or its connection is gone for ever; whether it has.
    leaves_at: float = math.inf
    fell_back: bool = False
    is_gone: bool = False
    is_ghost: bool = False
    unhealthy: bool = False
    points: list[Point] = field(default_factory=list)
    started_at: float = -1e9
    cpu_s: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    errors: float = 0.0
    rss_grown: float = 0.0
    drift: float = 0.0
    latency: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)

    def apply(self, at: float, fault: Fault) -> None:
        """Take the new version: refuse it, or restart with it."""
        self.changed_at = at
        mine = fault if fault.concerns(self.region) else NONE
        if self.draw.sickness < mine.refuses:
            self.refused = True
            return
        if self.draw.sickness < max(mine.falls_back, mine.vanishes):
            self.leaves_at = at + LEAVES_AFTER_S
        self.fault = mine
        self.unhealthy = self.draw.sickness < mine.crashes
        self._restart(at)

    def _restart(self, at: float) -> None:
        self.started_at, self.cpu_s, self.received, self.sent = at, 0.0, 0.0, 0.0
        self.errors, self.rss_grown, self.latency = 0.0, 0.0, [0.0] * BUCKETS

    def step(self, at: float, case: Case, load: float) -> None:
        """Run for the minute up to `at`, and send own metrics unless silent."""
        if at >= self.leaves_at and not (self.fell_back or self.is_gone):
            self._leave(at)
        if self.unhealthy:
            self._restart(at - 20)
        self.drift = _LINGER * self.drift + self.rng.gauss(
            0, case.noise * math.sqrt(1 - _LINGER**2)
        )
        blip = 2.0 if at - self.started_at <= MINUTE else 1.0
        self.cpu_s += MINUTE * self.draw.cpu * load * math.exp(self.drift) * blip * self.fault.cpu
        came = self.draw.per_min * load * self.rng.uniform(0.9, 1.1)
        self.received += came
        self.sent += came * (1 - self.fault.drops) * (1 - 0.001 * self.rng.random())
        self.errors += self.fault.errors + (self.rng.random() < 0.01)
        self.rss_grown += self.fault.leak_bytes
        self._serve()
        is_silent = self.fault.falls_silent and self.changed_at is not None
        if case.sends and not is_silent and not self.is_gone:
            self.points.append(self._point(at))

    def _leave(self, at: float) -> None:
        self.is_gone = self.fault.vanishes > 0
        self.fell_back = not self.is_gone
        self.fault = NONE
        if self.fell_back:
            self._restart(at)

    def _serve(self) -> None:
        for _ in range(_REQUESTS // 10):
            typical = self.draw.latency_ms * math.exp(self.rng.gauss(0, _LATENCY_SPREAD))
            took = typical + self.fault.latency_ms
            place = sum(took > bound for bound in LATENCY_BOUNDS_MS)
            self.latency[place] += 10

    def _point(self, at: float) -> Point:
        filled = 30e6 * (1 - math.exp(-(at - self.started_at) / 180))
        return Point(
            at=at,
            started_at=self.started_at,
            cpu_s=self.cpu_s,
            rss_bytes=60e6 + filled + self.rss_grown + self.rng.gauss(0, 5e5),
            queue_items=0.0,
            error_logs=self.errors,
            received=(self.received, None, None),
            refused=(0.0, None, None),
            sent=(self.sent, None, None),
            failed=(0.0, None, None),
            latency_counts=tuple(self.latency),
        )


class SimulatedFleet:
    """All collectors of a case. Times are seconds; the rollout starts at 0."""

    def __init__(self, case: Case) -> None:
        rng = random.Random(case.seed)
        self.case = case
        self._swing = shared_load(case, rng)
        self.now = -_HISTORY_S
        self.collectors = [
            Collector(n, rng.choice(REGIONS), draw(rng), random.Random(rng.random()))
            for n in range(case.agents)
        ]
        self.ghosts = [
            Collector(case.agents + n, rng.choice(REGIONS), draw(rng), rng, is_ghost=True)
            for n in range(case.ghosts)
        ]
        for collector in self.collectors:
            collector.started_at = self.now - 7200.0 * rng.random() - 7200.0
            collector.cpu_s = 1000.0
        while self.now < 0:
            self.step()

    def step(self) -> None:
        """Let a minute pass."""
        self.now += MINUTE
        load = load_at(self.case, self.now / MINUTE, *self._swing)
        for collector in self.collectors:
            collector.step(self.now, self.case, load)


def series_of(
    collectors: Sequence[Collector],
    *,
    split_at: float,
    deployed_at: float,
    now: float,
    warm_up_s: float,
    changed: bool,
) -> list[AgentSeries]:
    """Return series as `sources.own_metrics.load_series` makes them from rows."""
    found = []
    for one in collectors:
        since = one.changed_at if changed and one.changed_at is not None else deployed_at
        # An agent of an earlier phase has a past of its own version only since then.
        settled = -math.inf
        if not changed and one.changed_at is not None:
            settled = one.changed_at + warm_up_s
        begins = since + warm_up_s
        found.append(
            AgentSeries(
                agent_id=one.number,
                before=between(one.points, max(settled, split_at - PAST_S), split_at),
                after=between(one.points, begins, now),
                stratum=one.region,
                after_s=begins,
            )
        )
    return found
