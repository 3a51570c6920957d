"""Metrics of what flows through a cohort: failures, errors, latency, continuity. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.own_metrics import SIGNALS
from console.lib.texts import text
from rollouts.analysis import estimates
from rollouts.analysis.comparing import Cohort, Comparison
from rollouts.analysis.estimates import Estimate
from rollouts.analysis.points import BUCKETS, Totals, totals
from rollouts.plans.metrics import Compare

# Fewer items than this say nothing about a share of them.
FEWEST_ITEMS = 20
# What waits in queues counts as on its way, but a queue that keeps growing is not a way out.
QUEUE_CREDIT = 0.1
SIGNAL_NAMES = ("signal.spans", "signal.metric_points", "signal.log_records")
RATE_WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class _Sides:
    before: list[Totals]
    after: list[Totals]
    agents: int
    samples: int


def failure_rate(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return the share of exported items that failed."""
    after = _failed_share([series.after_totals for series in changed])
    if after is None:
        return Comparison(None, text("flow.nothing_exported"))
    found = _counted(after, changed)
    if compare is Compare.ABSOLUTE:
        return Comparison(found)
    base = _failed_share(
        [s.after_totals for s in control]
        if compare is Compare.CONTROL
        else [s.before_totals for s in changed]
    )
    if base is None:
        return Comparison(found, text("flow.nothing_to_compare"))
    return Comparison(replace(found, value=after - base), text("flow.less_failed_anyway"))


def _failed_share(all_totals: Sequence[Totals]) -> float | None:
    failed = sum(value or 0.0 for one in all_totals for value in one.failed)
    sent = sum(value or 0.0 for one in all_totals for value in one.sent)
    return failed / (failed + sent) if failed + sent > 0 else None


def error_count(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return the number of error log records after the change."""
    found = [series.after_totals for series in changed]
    known = [one.errors for one in found if one.errors is not None]
    if not known:
        return Comparison(None, text("errors.not_counted"))
    return Comparison(_counted(sum(known), changed))


def error_rate(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return the error log records per minute of all agents together, over the last minutes."""
    newest = max((series.after[-1].at for series in changed if series.after), default=0.0)
    found = [
        totals([point for point in series.after if point.at >= newest - RATE_WINDOW_S])
        for series in changed
    ]
    rates = [60 * one.errors / one.seconds for one in found if one.errors is not None and one.pairs]
    if not rates:
        return Comparison(None, text("errors.not_counted"))
    return Comparison(_counted(sum(rates), changed))


def latency_p95(
    changed: Cohort, control: Cohort, compare: Compare, bounds: Sequence[float]
) -> Comparison:
    """Return the 95th percentile of export latency in milliseconds."""
    after = _p95([series.after_totals for series in changed], bounds, len(changed))
    if after is None:
        return Comparison(None, text("latency.not_reported"))
    after = replace(after, samples=sum(len(series.after) for series in changed))
    if compare is Compare.ABSOLUTE:
        return Comparison(after)
    base = _p95(
        [s.after_totals for s in control]
        if compare is Compare.CONTROL
        else [s.before_totals for s in changed],
        bounds,
        len(changed),
    )
    if base is None:
        return Comparison(None, text("latency.nothing_to_compare"))
    value = after.value - base.value
    low = None if after.low is None else after.low - base.value
    high = None if after.high is None else after.high - base.value
    return Comparison(
        replace(after, value=value, low=low, high=high),
        text("latency.less", ms=base.value),
        replace(base, agents=len(control)) if compare is Compare.CONTROL else None,
    )


def _p95(all_totals: Sequence[Totals], bounds: Sequence[float], agents: int) -> Estimate | None:
    counts = [0.0] * BUCKETS
    for one in all_totals:
        if one.latency is not None:
            counts = [have + more for have, more in zip(counts, one.latency, strict=True)]
    if sum(counts) < FEWEST_ITEMS:
        return None
    return estimates.quantile_estimate(bounds, counts, 0.95, agents)


def data_continuity(changed: Cohort, control: Cohort, compare: Compare) -> Comparison:
    """Return the share of received data that goes on, of the signal that fares worst.

    Against before: 1 is as before, whatever the config drops on purpose or sends twice.
    """
    sides = _Sides(
        before=[series.before_totals for series in changed],
        after=[series.after_totals for series in changed],
        agents=len(changed),
        samples=sum(len(series.after) for series in changed),
    )
    found = [
        (answer, signal)
        for signal in range(len(SIGNALS))
        if (answer := _continuity(sides, signal, compare)) is not None
    ]
    if not found:
        return Comparison(None, text("flow.no_data"))
    answer, signal = min(found, key=lambda one: one[0].estimate.value if one[0].estimate else 1.0)
    return replace(
        answer, note=text("reading.of_signal", signal=text(SIGNAL_NAMES[signal]), note=answer.note)
    )


def _continuity(sides: _Sides, signal: int, compare: Compare) -> Comparison | None:
    came_before = sum(one.received[signal] or 0.0 for one in sides.before)
    came = sum(one.received[signal] or 0.0 for one in sides.after)
    if came_before >= FEWEST_ITEMS and came == 0 and compare is not Compare.ABSOLUTE:
        gone = Estimate(0.0, None, None, sides.agents, sides.samples)
        return Comparison(gone, text("flow.dried_up", before=came_before))
    if came < FEWEST_ITEMS:
        return None
    base, words = 1.0, text("flow.of_what_arrives")
    if compare is not Compare.ABSOLUTE and came_before >= FEWEST_ITEMS:
        sent_before = sum(one.sent[signal] or 0.0 for one in sides.before)
        if sent_before > 0:
            base, words = sent_before / came_before, text("flow.of_share_before")
    parts = [(base * (one.received[signal] or 0.0), _gone_on(one, signal)) for one in sides.after]
    ratio = estimates.ratio_error(parts)
    if ratio is None:
        return None
    estimate = Estimate(ratio[0], None, None, sides.agents, sides.samples)
    return Comparison(estimate, words)


def _gone_on(one: Totals, signal: int) -> float:
    """Return what was sent, and what waits: queues are not told apart by signal, so a queue counts
    for each, up to a tenth of what came."""
    came = one.received[signal] or 0.0
    waiting = min(max(one.queue_growth, 0.0), QUEUE_CREDIT * came)
    return (one.sent[signal] or 0.0) + waiting


def _counted(value: float, cohort: Cohort) -> Estimate:
    """A count or a share of counts: exact about these agents, so it has no interval."""
    samples = sum(len(series.after) for series in cohort)
    return Estimate(value, None, None, len(cohort), samples)
