"""Estimates with their uncertainty: ratios, means, quantiles. Plain arithmetic, pure.

Intervals leave 5 % beyond each end (`CONFIDENCE` between them), because a gate asks one end only:
is it surely below the limit, or surely above? They come from how much agents differ from each other, by
Student's t: few agents mean a wide interval, one agent means none between agents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

CONFIDENCE = 0.9
# For the worst of several groups: looked at because it stands out, so it has to stand out more.
STRICT_CONFIDENCE = 0.999
FEWEST_AGENTS = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, and how many agents and samples stand behind it."""

    value: float
    low: float | None
    high: float | None
    agents: int
    samples: int

    def kept(self) -> dict[str, float | int | None]:
        """Return it as plain JSON, as a reading keeps what its control group showed."""
        return {"value": self.value, "low": self.low, "high": self.high, "agents": self.agents}


def t_quantile(confidence: float, freedom: int) -> float:
    """Return Student's t for a two-sided interval. Exact for 1 and 2, an expansion above."""
    p = (1 + confidence) / 2
    if freedom == 1:
        return math.tan(math.pi * (p - 0.5))
    if freedom == 2:
        a = 4 * p * (1 - p)
        return 2 * (p - 0.5) * math.sqrt(2 / a)
    z, v = NormalDist().inv_cdf(p), float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def mean(values: Sequence[float], samples: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean over agents."""
    middle, count = fmean(values), len(values)
    if count < FEWEST_AGENTS:
        return Estimate(middle, None, None, count, samples)
    half = t_quantile(confidence, count - 1) * stdev(values) / math.sqrt(count)
    return Estimate(middle, middle - half, middle + half, count, samples)


def ratio_error(parts: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return sum(y) / sum(x) over pairs (x, y) and its standard error between agents.

    None without a base. The error is infinite below three agents: they cannot tell how agents vary.
    """
    base = sum(x for x, _ in parts)
    if base <= 0:
        return None
    ratio = sum(y for _, y in parts) / base
    count = len(parts)
    if count < FEWEST_AGENTS:
        return ratio, math.inf
    spread = sum((y - ratio * x) ** 2 for x, y in parts)
    return ratio, math.sqrt(spread * count / (count - 1)) / base


def thinness(bases: Sequence[float]) -> float:
    """Return the standard error of a ratio of sums over agents of these sizes, in units of how far
    one agent is off it: 1 for one agent, a half for four alike, more when one of them is large."""
    return math.sqrt(sum(base**2 for base in bases)) / sum(bases)


def blocked_error(before: Sequence[float], after: Sequence[float]) -> float | None:
    """Return the standard error of mean(after) / mean(before) from how one agent varies in time.

    For fleets too small to compare agents. Values in time are alike to their neighbours, so they are
    averaged in a few blocks first; None when there are too few for that.
    """
    old, new = _blocks(before), _blocks(after)
    if old is None or new is None or fmean(old) <= 0:
        return None
    base, ratio = fmean(old), fmean(new) / fmean(old)
    return math.sqrt(stdev(new) ** 2 / len(new) + ratio**2 * stdev(old) ** 2 / len(old)) / base


BLOCKS = 4


def _blocks(values: Sequence[float]) -> list[float] | None:
    if len(values) < 2 * BLOCKS:
        return None
    size = len(values) / BLOCKS
    return [fmean(values[round(n * size) : round((n + 1) * size)]) for n in range(BLOCKS)]


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the least-squares slope of (x, y) points, None below three."""
    if len(points) < 3:
        return None
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if spread <= 0:
        return None
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


# Neighbouring readings of one agent are alike, so a line through them is less sure than it looks.
_ALIKE = 2.0


def slope_error(points: Sequence[tuple[float, float]], value: float) -> float | None:
    """Return the standard error of a slope from how far the points lie off it, None below eight."""
    if len(points) < 2 * BLOCKS:
        return None
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    off = sum((y - middle_y - value * (x - middle_x)) ** 2 for x, y in points)
    return _ALIKE * math.sqrt(off / (len(points) - 2) / spread)


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """Return a quantile of a histogram, between bounds by straight line, as Prometheus does.

    `counts` has one bucket more than `bounds`; what lies above the last bound reads as that bound.
    """
    total = sum(counts)
    if total <= 0:
        return None
    rank, seen, lower = share * total, 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if count and seen + count >= rank:
            return lower + (bound - lower) * (rank - seen) / count
        seen, lower = seen + count, bound
    return bounds[-1]


def quantile_estimate(
    bounds: Sequence[float], counts: Sequence[float], share: float, agents: int
) -> Estimate | None:
    """Return a quantile with the interval of its rank among so many values."""
    value, total = quantile(bounds, counts, share), sum(counts)
    if value is None:
        return None
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(share * (1 - share) / total)
    low = quantile(bounds, counts, max(0.0, share - half))
    high = quantile(bounds, counts, min(1.0, share + half))
    return Estimate(value, low, high, agents, int(total))
