"""The success criteria and thresholds of a plan file. Pure; used by `parse`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from console.lib.durations import BadValue, shown
from console.lib.fields import Fields, choose
from console.lib.quantities import Unit, format_quantity, parse_quantity
from console.lib.texts import text as say
from rollouts.plans.metrics import (
    DEFAULT_SOURCES,
    METRICS,
    OWN_METRIC,
    Compare,
    Direction,
    MetricKind,
    Source,
)
from rollouts.plans.plan import Criterion, Operator, Threshold
from rollouts.promql import read as promql

MAX_METRIC_NAME = 80
CRITERION_KEYS = (
    "metric",
    "operator",
    "threshold",
    "query",
    "compare",
    "source",
    "failure_limit",
    "inconclusive_limit",
    "consecutive",
    "dry_run",
)
THRESHOLD_KEYS = ("warning", "critical", "query", "compare", "source", "consecutive", "dry_run")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the plan says for all its metrics; `compare` None leaves each metric its own."""

    compare: Compare | None
    sources: tuple[Source, ...]


def defaults_of(fields: Fields) -> Defaults:
    """Read `compare` and `source` of the plan itself."""
    compare = fields.choice("compare", Compare, Compare.ABSOLUTE)
    return Defaults(
        compare=compare if fields.has("compare") else None,
        sources=fields.read("source", _sources, DEFAULT_SOURCES),
    )


def criteria_of(fields: Fields, defaults: Defaults) -> tuple[Criterion, ...]:
    """Read the `success_criteria` of a phase."""
    found: dict[str, Criterion] = {}
    for criterion in fields.children("success_criteria"):
        criterion.known(*CRITERION_KEYS)
        for key in ("metric", "operator", "threshold"):
            criterion.required(key)
        metric = criterion.text("metric", max_length=MAX_METRIC_NAME)
        if metric in found:
            criterion.wrong("metric", say("plan.metric_twice", metric=metric))
        kind = _kind(criterion, metric, "metric")
        found[metric] = Criterion(
            metric=metric,
            operator=criterion.choice("operator", Operator, Operator.LT),
            threshold=_amount(criterion, "threshold", kind.unit, bare=True) or 0.0,
            unit=kind.unit,
            query=promql_of(criterion, "query", promql.query),
            compare=_compare(criterion, kind, defaults),
            sources=criterion.read("source", _sources, defaults.sources),
            failure_limit=criterion.whole("failure_limit", 0, least=1),
            inconclusive_limit=_limit(criterion, "inconclusive_limit"),
            consecutive=criterion.whole("consecutive", 1, least=1),
            dry_run=criterion.flag("dry_run", False),
        )
    return tuple(found.values())


def thresholds_of(fields: Fields, defaults: Defaults) -> tuple[Threshold, ...]:
    """Read the `thresholds` of a plan: metric to warning and critical level."""
    parent = fields.child("thresholds")
    found: list[Threshold] = []
    for metric in parent.data:
        threshold = parent.child(metric)
        threshold.known(*THRESHOLD_KEYS)
        kind = _kind(threshold, metric, None)
        warning = _amount(threshold, "warning", kind.unit)
        critical = _amount(threshold, "critical", kind.unit)
        if not threshold.has("warning") and not threshold.has("critical"):
            threshold.wrong(None, say("plan.no_level", metric=metric))
        found.append(
            Threshold(
                metric=metric,
                warning=warning,
                critical=critical,
                direction=_direction(threshold, kind, warning, critical),
                unit=kind.unit,
                query=promql_of(threshold, "query", promql.query),
                compare=_compare(threshold, kind, defaults),
                sources=threshold.read("source", _sources, defaults.sources),
                consecutive=threshold.whole("consecutive", 1, least=1),
                dry_run=threshold.flag("dry_run", False),
            )
        )
    return tuple(found)


def _kind(fields: Fields, metric: str, key: str | None) -> MetricKind:
    """Return what is known of a metric; one of the user's own must bring its query."""
    if metric in METRICS:
        return METRICS[metric]
    if metric and not fields.has("query"):
        near = difflib.get_close_matches(metric, METRICS, n=1)
        name = metric[:MAX_METRIC_NAME]
        says = say("plan.unknown_metric", metric=name, known=tuple(METRICS))
        if near:
            says = say("plan.mistyped_metric", metric=name, near=near[0])
        fields.wrong(key, says)
    return OWN_METRIC


def promql_of(fields: Fields, key: str, read: Callable[[str], object]) -> str:
    """Read PromQL; what is wrong with it is noted with line and column of the expression."""
    text = fields.text(key).strip()
    if text:
        try:
            read(text)
        except promql.BadPromql as bad:
            fields.wrong(key, say("plan.wrong_at", key=key, what=bad.says))
    return text


def _amount(fields: Fields, key: str, unit: Unit, *, bare: bool = False) -> float | None:
    return fields.read(key, lambda value: parse_quantity(value, unit, bare=bare), None)


def _limit(fields: Fields, key: str) -> int | None:
    return fields.whole(key, 0) if fields.has(key) else None


def _compare(fields: Fields, kind: MetricKind, defaults: Defaults) -> Compare:
    """Read what a metric is compared with. What the plan says for all counts where it can be done."""
    for_all = defaults.compare or kind.compare
    usual = for_all if for_all in kind.comparisons else kind.compare
    found = fields.choice("compare", Compare, usual)
    if found not in kind.comparisons:
        says = say("plan.no_such_compare", read=found, can=tuple(kind.comparisons))
        fields.wrong("compare", says)
    return found


def _direction(
    fields: Fields, kind: MetricKind, warning: float | None, critical: float | None
) -> Direction:
    """A metric of ours knows its bad side; for others the order of the levels says it."""
    if warning is None or critical is None:
        return kind.direction
    falls = critical < warning
    if kind is OWN_METRIC:
        return Direction.BELOW if falls else Direction.ABOVE
    if falls != (kind.direction is Direction.BELOW) and critical != warning:
        first, last = format_quantity(warning, kind.unit), format_quantity(critical, kind.unit)
        fields.wrong("warning", say("plan.levels_swapped", warning=first, critical=last))
    return kind.direction


def _sources(value: object) -> tuple[Source, ...]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise BadValue("plan.no_source", read=shown(value))
    return tuple(dict.fromkeys(choose(Source, item) for item in items))
