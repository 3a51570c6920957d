"""Agents' lives as series of points, in the least form a test needs."""

from __future__ import annotations

import random
from collections.abc import Iterator

from rollouts.analysis.points import AgentSeries, Point

CHANGE_S = 10_000.0
STEP_S = 60.0


def life(
    minutes: int,
    *,
    begins_s: float,
    cpu: float = 0.2,
    noise: float = 0.0,
    rng: random.Random | None = None,
    rss: float = 1e8,
    leak: float = 0.0,
    per_min: float = 1000.0,
    sent_share: float = 1.0,
    failed_share: float = 0.0,
    latency_ms: float | None = None,
    errors_per_min: float = 0.0,
    started_s: float = 0.0,
) -> Iterator[Point]:
    """Yield a point a minute of one agent that never restarts. `leak` is in bytes per minute."""
    cpu_s = received = sent = failed = errors = 0.0
    latency = [0.0] * 18
    for minute in range(minutes + 1):
        yield Point(
            at=begins_s + minute * STEP_S,
            started_at=started_s,
            cpu_s=cpu_s,
            rss_bytes=rss + leak * minute,
            queue_items=0.0,
            error_logs=errors,
            received=(received, None, None),
            refused=(0.0, None, None),
            sent=(sent, None, None),
            failed=(failed, None, None),
            latency_counts=tuple(latency),
        )
        drawn = rng.gauss(0, noise) if rng is not None else 0.0
        cpu_s += STEP_S * max(0.0, cpu * (1 + drawn))
        received += per_min
        sent += per_min * sent_share
        failed += per_min * failed_share
        errors += errors_per_min
        if latency_ms is not None:
            latency[_bucket(latency_ms)] += 100


def _bucket(latency_ms: float) -> int:
    bounds = (1, 2.5, 5, 7.5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
    return next((n for n, bound in enumerate(bounds) if latency_ms <= bound), len(bounds))


def agent(
    number: int = 1,
    *,
    before: dict[str, float] | None = None,
    after: dict[str, float] | None = None,
    minutes: int = 15,
    noise: float = 0.0,
    stratum: str = "",
) -> AgentSeries:
    """An agent whose life before and after the change differ by the given words of `life`."""
    rng = random.Random(number)
    begins_s = CHANGE_S - minutes * STEP_S
    old = life(minutes, begins_s=begins_s, noise=noise, rng=rng, **(before or {}))
    new = life(
        minutes,
        begins_s=CHANGE_S + STEP_S,
        noise=noise,
        rng=rng,
        started_s=CHANGE_S,
        **(after or {}),
    )
    return AgentSeries(number, tuple(old), tuple(new), stratum, CHANGE_S + STEP_S)


def agents(count: int, **words: object) -> list[AgentSeries]:
    return [agent(number, **words) for number in range(1, count + 1)]  # type: ignore[arg-type]
