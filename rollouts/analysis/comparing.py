"""Metrics of a cohort from its agents' own series: absolute, against before, against a control.

Pure. `before` compares each agent with itself; `control` also with what agents of the same kind
(stratum) that were not changed did meanwhile, so that a busy hour is not read as a regression.
A change that shows in one stratum only is looked for by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from console.lib.texts import Text, text
from rollouts.analysis import estimates
from rollouts.analysis.estimates import CONFIDENCE, STRICT_CONFIDENCE, Estimate
from rollouts.analysis.points import AgentSeries, Point, lives
from rollouts.plans.metrics import Compare

FEWEST_IN_STRATUM = 5
FEWEST_CONTROLS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """An estimate, what it was compared with, and why there is none. `control` is what the agents
    that do not change showed by themselves, where they were asked."""

    estimate: Estimate | None
    note: Text | str = ""
    control: Estimate | None = None


Cohort = Sequence[AgentSeries]


def cpu_increase(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return how much more CPU per second the cohort uses, as a share (0.1: a tenth more)."""
    usable = [series for series in changed if _rates(series) is not None]
    if not usable:
        return Comparison(None, text("cpu.no_readings"))
    trend, note = _trend(control, compare)
    found = _cpu_of(usable, trend, CONFIDENCE)
    if found is None:
        return Comparison(None, text("cpu.too_little", count=len(usable)))
    worst = _worst_stratum(found, usable, lambda part: _cpu_of(part, trend))
    return Comparison(worst, note, trend.own)


def _rates(series: AgentSeries) -> tuple[float, float] | None:
    """Return CPU per second before and after, None when either is unknown."""
    before, after = series.before_totals, series.after_totals
    if before.cpu_s is None or after.cpu_s is None or not before.pairs or not after.pairs:
        return None
    return before.cpu_s / before.seconds, after.cpu_s / after.seconds


@dataclass(frozen=True, slots=True)
class _Trend:
    """How agents that do not change now went on (1: as before), by stratum, "" for all.

    `off` is how far each of them was off the ratio of its stratum, as shares; `fitted` how many
    ratios that took; `thin` how unsure each ratio is, in units of the spread of `off`. `own` is how
    much more all of them use than before.
    """

    ratios: Mapping[str, float] = field(default_factory=dict)
    thin: Mapping[str, float] = field(default_factory=dict)
    off: tuple[float, ...] = ()
    fitted: int = 0
    own: Estimate | None = None

    def key(self, stratum: str) -> str:
        """Return whose ratio counts for a stratum: its own, or that of all."""
        return stratum if stratum in self.ratios else ""

    def of(self, stratum: str) -> float:
        return self.ratios.get(self.key(stratum), 1.0)


@dataclass(frozen=True, slots=True)
class _Part:
    """CPU per second of one agent: what its past and its control let expect, and what it is."""

    expected: float
    found: float
    stratum: str


def _cpu_of(
    cohort: Cohort, trend: _Trend, confidence: float = STRICT_CONFIDENCE
) -> Estimate | None:
    """Compare each agent with itself before, carried on by what its control did.

    How agents vary by themselves is learnt from the control as well: that is what lets three
    agents among thirty say something.
    """
    parts = [
        _Part(rates[0] * trend.of(series.stratum), rates[1], series.stratum)
        for series in cohort
        if (rates := _rates(series)) is not None and rates[0] > 0
    ]
    found = estimates.ratio_error([(part.expected, part.found) for part in parts])
    if found is None:
        return None
    ratio, error = found
    freedom = len(parts) - 1
    if trend.off:
        error, freedom = _pooled(parts, ratio, 0.0 if math.isinf(error) else error, trend)
    elif math.isinf(error):
        within = [_within(series) for series in cohort]
        if any(one is None for one in within):
            return None
        error = math.sqrt(sum((one or 0.0) ** 2 for one in within)) / len(within)
        freedom = estimates.BLOCKS - 1
    half = estimates.t_quantile(confidence, freedom) * error
    samples = sum(len(series.after) for series in cohort)
    return Estimate(ratio - 1, ratio - 1 - half, ratio - 1 + half, len(parts), samples)


def _pooled(
    parts: Sequence[_Part], ratio: float, own_error: float, trend: _Trend
) -> tuple[float, int]:
    """Return the standard error of a ratio from how far all agents are off theirs, and its degrees
    of freedom. Few controls are themselves unsure of what was to be expected: that adds to it."""
    own = [part.found / part.expected / ratio - 1 for part in parts] if ratio > 0 else []
    freedom = max(1, len(own) - 1 + len(trend.off) - trend.fitted)
    spread = ratio * math.sqrt(sum(one**2 for one in (*own, *trend.off)) / freedom)
    error = max(own_error, spread * estimates.thinness([part.expected for part in parts]))
    shares: dict[str, float] = {}
    for part in parts:
        key = trend.key(part.stratum)
        shares[key] = shares.get(key, 0.0) + part.expected
    base = sum(shares.values())
    unsure = math.hypot(*(share / base * trend.thin[key] for key, share in shares.items()))
    return math.hypot(error, spread * unsure), freedom


def _within(series: AgentSeries) -> float | None:
    return estimates.blocked_error(_pair_rates(series.before), _pair_rates(series.after))


def _pair_rates(points: Sequence[Point]) -> list[float]:
    return [
        (second.cpu_s - first.cpu_s) / (second.at - first.at)
        for first, second in pairwise(points)
        if first.cpu_s is not None
        and second.cpu_s is not None
        and second.at > first.at
        and second.is_same_life(first)
    ]


def _trend(control: Cohort, compare: Compare) -> tuple[_Trend, Text]:
    """Return how the control went on, and what the comparison is with."""
    if compare is not Compare.CONTROL:
        return _Trend(), text("reading.against", whom=text("cohort.before"))
    pairs = [(s.stratum, rates) for s in control if (rates := _rates(s)) and rates[0] > 0]
    if len(pairs) < FEWEST_CONTROLS:
        return (
            _Trend(),
            text("compare.few_controls", count=len(pairs)),
        )
    everyone = [rates for _, rates in pairs]
    whole = estimates.ratio_error(everyone)
    if whole is None or whole[0] <= 0:
        return _Trend(), text("compare.idle_controls")
    ratios = {"": whole[0]}
    thin = {"": estimates.thinness([before for before, _ in everyone])}
    for stratum in {name for name, _ in pairs if name}:
        parts = [rates for name, rates in pairs if name == stratum]
        own = estimates.ratio_error(parts)
        if own is not None and own[0] > 0 and len(parts) >= FEWEST_CONTROLS:
            ratios[stratum] = own[0]
            thin[stratum] = estimates.thinness([before for before, _ in parts])
    trend = _Trend(ratios, thin)
    off = tuple(after / before / trend.of(name) - 1 for name, (before, after) in pairs)
    fitted = len({trend.key(name) for name, _ in pairs})
    half = estimates.t_quantile(CONFIDENCE, len(pairs) - 1) * whole[1]
    change = whole[0] - 1
    alone = Estimate(change, change - half, change + half, len(pairs), len(pairs))
    found = replace(trend, off=off, fitted=fitted, own=alone)
    return found, text("compare.with_controls", count=len(pairs))


def _worst_stratum(
    overall: Estimate, cohort: Cohort, measure: Callable[[Cohort], Estimate | None]
) -> Estimate:
    """Return the stratum that is surely worse than the whole, or the whole (higher is worse)."""
    by_stratum: dict[str, list[AgentSeries]] = {}
    for series in cohort:
        by_stratum.setdefault(series.stratum, []).append(series)
    if len(by_stratum) < 2:
        return overall
    worst = overall
    for part in by_stratum.values():
        found = measure(part) if len(part) >= FEWEST_IN_STRATUM else None
        if found is None or found.low is None or overall.high is None:
            continue
        if found.low > overall.high and found.low > (worst.low or 0.0):
            worst = found
    return worst


def memory_growth(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return the growth of resident memory in bytes per minute and agent."""
    after = _slopes([series.after for series in changed])
    base: list[Slope] = []
    if compare is not Compare.ABSOLUTE:
        others = control if compare is Compare.CONTROL else changed
        base = _slopes([s.after if compare is Compare.CONTROL else s.before for s in others])
    samples = sum(len(series.after) for series in changed)
    return growth(after, base, compare, samples)


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth of one agent in bytes per minute, with its own standard error if known."""

    value: float
    error: float | None = None


def growth(
    after: Sequence[Slope], base: Sequence[Slope], compare: Compare, samples: int
) -> Comparison:
    """Return the mean growth, less that of `base` unless it is taken absolutely."""
    found = _mean_slope(after, samples)
    if found is None:
        return Comparison(None, text("memory.few_readings"))
    if compare is Compare.ABSOLUTE:
        return Comparison(found)
    other = _mean_slope(base, samples)
    if other is None:
        return Comparison(None, text("memory.few_to_compare"))
    note = text("reading.against", whom=_words(compare))
    return Comparison(difference(found, other), note, other if compare is Compare.CONTROL else None)


def _mean_slope(slopes: Sequence[Slope], samples: int) -> Estimate | None:
    if not slopes:
        return None
    found = estimates.mean([slope.value for slope in slopes], samples)
    if found.low is not None:
        return found
    errors = [slope.error for slope in slopes if slope.error is not None]
    if len(errors) < len(slopes):
        return None
    error = math.sqrt(sum(one**2 for one in errors)) / len(errors)
    half = estimates.t_quantile(CONFIDENCE, estimates.BLOCKS - 1) * error
    return replace(found, low=found.value - half, high=found.value + half)


def _slopes(lives: Sequence[Sequence[Point]]) -> list[Slope]:
    """Return the slope of each agent's newest life."""
    found = []
    for points in lives:
        life = _newest_life(points)
        start = life[0].at if life else 0.0
        known = [((p.at - start) / 60, p.rss_bytes) for p in life if p.rss_bytes is not None]
        value = estimates.slope(known)
        if value is not None:
            found.append(Slope(value, estimates.slope_error(known, value)))
    return found


def _newest_life(points: Sequence[Point]) -> Sequence[Point]:
    return next(reversed(list(lives(points))), ())


def difference(found: Estimate, base: Estimate) -> Estimate:
    """Return one estimate less another, with the interval of both."""
    value = found.value - base.value
    if found.low is None or found.high is None or base.low is None or base.high is None:
        return replace(found, value=value, low=None, high=None)
    half = math.hypot(found.high - found.value, base.high - base.value)
    return replace(found, value=value, low=value - half, high=value + half)


def _words(compare: Compare) -> Text:
    return text("cohort.control") if compare is Compare.CONTROL else text("cohort.before")
