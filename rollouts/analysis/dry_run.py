"""What the PromQL of a plan would say today, before any rollout: a dry answer (spec section 6).

Asks Prometheus outside any transaction, with a time budget for all conditions together. Whatever goes
wrong with one is its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from console.lib.texts import Text, text
from rollouts.analysis.identity import STRANGER, agent_labels
from rollouts.analysis.sources.prometheus_agents import Known
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Sample, Trouble
from rollouts.analysis.sources.prometheus_conditions import is_true, vocabulary
from rollouts.plans.plan import Plan
from rollouts.promql.kept import Kept
from rollouts.promql.read import BadPromql, Expression, read
from rollouts.promql.rewrite import Rewriting, rewritten

BUDGET_S = 6.0
MOST_ASKED = 20


@dataclass(frozen=True, slots=True)
class Today:
    """What one condition or query finds now.

    `agents` of ours and `strangers` have the metrics it names; `breached` of them make a trigger's
    condition true (None for a query, which has no yes or no). A `whole` one names no agent: then
    `breached` is 0 or 1. `trouble` says why there is no answer.
    """

    name: str
    promql: str
    is_trigger: bool
    agents: int = 0
    strangers: int = 0
    breached: int | None = None
    is_whole: bool = False
    missing: tuple[str, ...] = ()
    note: Text | str = ""
    trouble: Text | str = ""


def dry_answers(plan: Plan, now: datetime) -> list[Today]:
    """Ask every condition and query of a plan once, about all agents."""
    asked = list(_asked(plan))[:MOST_ASKED]
    if not asked:
        return []
    api = PrometheusApi.from_settings(budget_s=BUDGET_S)
    if api is None:
        trouble = text("prometheus.nobody_to_ask")
        return [Today(name, promql, is_t, trouble=trouble) for name, promql, is_t in asked]
    known = Known(api, agent_labels(settings.PROMETHEUS_AGENT_LABELS), ())
    return [_answer(api, known, one, now) for one in asked]


def has_promql(plan: Plan) -> bool:
    """Whether there is anything to ask."""
    return any(True for _ in _asked(plan))


def _asked(plan: Plan) -> Iterator[tuple[str, str, bool]]:
    """Yield name, PromQL and whether it is a trigger; the same query of several phases once."""
    for trigger in plan.rollback.triggers:
        yield trigger.name, trigger.condition, True
    queries = [(c.metric, c.query) for phase in plan.phases for c in phase.success_criteria]
    queries += [(threshold.metric, threshold.query) for threshold in plan.thresholds]
    for metric, promql in dict.fromkeys(queries):
        if promql:
            yield metric, promql, False


def _answer(api: PrometheusApi, known: Known, asked: tuple[str, str, bool], now: datetime) -> Today:
    name, promql, is_trigger = asked
    try:
        return _look(api, known, asked, read(promql), now)
    except (Trouble, BadPromql) as trouble:
        return Today(name, promql, is_trigger, trouble=trouble.says)


def _look(
    api: PrometheusApi,
    known: Known,
    asked: tuple[str, str, bool],
    found: Expression,
    now: datetime,
) -> Today:
    name, promql, is_trigger = asked
    words = vocabulary(api, known.grouping, found, now)
    known.learn_targets(now)
    agents, strangers = _whose(known, found, words.samples, now)
    samples = api.query(rewritten(found, Rewriting(words.names)), now)
    true = [sample for sample in samples if is_true(found, sample)]
    is_whole = known.is_whole(found.kept)
    breaching = 1 if is_whole and true else len(_whose(known, found, true, now)[0])
    return Today(
        name=name,
        promql=promql,
        is_trigger=is_trigger,
        agents=len(agents),
        strangers=strangers,
        breached=breaching if is_trigger else None,
        is_whole=is_whole,
        missing=words.missing,
        note=words.note,
    )


def _whose(
    known: Known, found: Expression, samples: Sequence[Sample], now: datetime
) -> tuple[frozenset[int], int]:
    """Return the agents that series speak of, and how many speak of strangers."""
    known.learn(samples, now)
    resolver = known.at(now)
    kept = Kept() if known.is_whole(found.kept) else found.kept
    fits = [resolver.fit(kept.of(sample.labels)) for sample in samples]
    strangers = sum(fit is STRANGER for fit in fits)
    return frozenset().union(*(fit.agents for fit in fits)), strangers
