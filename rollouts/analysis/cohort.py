"""Readings of a cohort from its agents' series: what counts, what is too little, what is said. Pure.

Used with the series that gateways keep (`sources.own_metrics`) and with simulated ones
(`bench/evidence`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agents.own_metrics import LATENCY_BOUNDS_MS
from console.lib.texts import Text, also, text
from rollouts.analysis import comparing, flows
from rollouts.analysis.catalogue import CATALOGUE
from rollouts.analysis.comparing import Comparison
from rollouts.analysis.points import AgentSeries
from rollouts.analysis.readings import Outcome, Reading, estimated, silent
from rollouts.analysis.specs import GateSpec
from rollouts.plans.metrics import Compare, Source

STALE_S = 150.0
# How much of an agent's past it is compared with. Half an hour of one agent is as noisy as what follows
# its change, so it adds as much doubt; a whole hour also shows more of how its load comes and goes.
PAST_S = 3600.0
# Of the agents that sent metrics before the change, so many must still do.
FEWEST_STILL_SENDING = 0.8
LONGEST_WARM_UP_S, SHORTEST_WARM_UP_S = 60.0, 4.0
LONGEST_SETTLING_S = 300.0


def warm_up_of(duration_s: float) -> float:
    """Return how long after its change an agent's numbers do not count: a tenth of the phase, at
    most a minute. A collector restarts to apply, and starting is not how it runs."""
    return min(LONGEST_WARM_UP_S, max(SHORTEST_WARM_UP_S, duration_s / 10))


def settling_of(duration_s: float) -> float:
    """Return how much longer memory is left to settle: a third of the phase, at most 5 minutes. A
    heap that fills after a restart grows like a leak."""
    return min(LONGEST_SETTLING_S, duration_s / 3)


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Changed agents (from their warm-up on) and agents not changed yet, at one time.

    `changed_in_all` is how many have changed, when `changed` are only some of them.
    """

    changed: Sequence[AgentSeries]
    control: Sequence[AgentSeries]
    now_s: float
    duration_s: float
    changed_in_all: int = 0


def read(spec: GateSpec, cohorts: Cohorts, source: Source) -> Reading:
    """Return the reading of one gate."""
    query = CATALOGUE[spec.metric].sources[source]
    nothing = _why_nothing(cohorts)
    if nothing is not None:
        return silent(nothing[0], source.value, nothing[1], query)
    sending = [series for series in cohorts.changed if len(series.after) > 1]
    answer = MEASURES[spec.metric](replace(cohorts, changed=sending), spec.compare)
    if spec.metric in SUMS:
        answer = _for_all(answer, len(cohorts.changed), cohorts.changed_in_all)
    warm_up = text("reading.warm_up", seconds=warm_up_of(cohorts.duration_s))
    note = also([answer.note, warm_up])
    if answer.estimate is None:
        return silent(Outcome.NO_DATA, source.value, note, query)
    return estimated(
        answer.estimate,
        source=source.value,
        note=note,
        query=query,
        compare=spec.compare,
        control=answer.control,
    )


def _why_nothing(cohorts: Cohorts) -> tuple[Outcome, Text] | None:
    """Say why there is nothing to go by, None when there is. Agents that fell silent with the change
    are a reason to doubt the rest, not to leave them out."""
    changed = cohorts.changed
    if not changed:
        return Outcome.NO_DATA, text("reading.nobody_on_new")
    sending = [series for series in changed if len(series.after) > 1]
    due = [series for series in changed if series.should_have_sent(cohorts.now_s)]
    if not sending:
        if due:
            return Outcome.STALE, text("own_metrics.none_since_change")
        if any(series.before for series in changed):
            return Outcome.NO_DATA, text("own_metrics.none_since_warm_up")
        return Outcome.NO_DATA, text("own_metrics.none")
    age_s = cohorts.now_s - max(series.after[-1].at for series in sending)
    if age_s > STALE_S:
        return Outcome.STALE, text("own_metrics.old", seconds=age_s)
    still = sum(len(series.after) > 1 for series in due)
    if still < FEWEST_STILL_SENDING * len(due):
        return Outcome.STALE, text("own_metrics.still", still=still, due=len(due))
    return None


def _for_all(answer: Comparison, read: int, in_all: int) -> Comparison:
    """Take what some agents add up to for all of them."""
    found = answer.estimate
    if found is None or in_all <= read:
        return answer
    note = text("reading.taken_for_all", read=read, in_all=in_all)
    whole = replace(found, value=found.value * in_all / read)
    return Comparison(whole, also([answer.note, note]))


def _memory(cohorts: Cohorts, compare: Compare) -> Comparison:
    settling_s = settling_of(cohorts.duration_s)
    return comparing.memory_growth(
        [series.settled(settling_s) for series in cohorts.changed],
        [series.settled(settling_s) for series in cohorts.control],
        compare,
    )


# What agents add up to, where every other metric is a share, a mean or a quantile.
SUMS = frozenset({"error_count", "error_rate"})
MEASURES: dict[str, Callable[[Cohorts, Compare], Comparison]] = {
    "cpu_increase": lambda c, compare: comparing.cpu_increase(c.changed, c.control, compare),
    "memory_growth": _memory,
    "failure_rate": lambda c, compare: flows.failure_rate(c.changed, c.control, compare),
    "error_count": lambda c, compare: flows.error_count(c.changed, c.control, compare),
    "error_rate": lambda c, compare: flows.error_rate(c.changed, c.control, compare),
    "data_continuity": lambda c, compare: flows.data_continuity(c.changed, c.control, compare),
    "latency_p95": lambda c, compare: flows.latency_p95(
        c.changed, c.control, compare, LATENCY_BOUNDS_MS
    ),
}
