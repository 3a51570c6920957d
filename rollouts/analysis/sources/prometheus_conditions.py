"""Triggers: a condition in PromQL, answered for the agents that have the new version.

A series of no agent of ours is a stranger's, one of another agent is the comparison: neither decides.
Only a condition that aggregates every label away that could name an agent speaks for the rollout as
a whole. Data from before an agent had the version does not count: until a range lies wholly behind
the change it is shortened, or awaited where that cannot be done. Nothing is an answer only where
Prometheus knows our agents, for a comparison is also empty where data is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from console.lib.texts import Text, also, text
from rollouts.analysis.cohort import FEWEST_STILL_SENDING, warm_up_of
from rollouts.analysis.identity import STRANGER, Fit, strongest
from rollouts.analysis.readings import Outcome, Reading, silent
from rollouts.analysis.scene import Scene
from rollouts.analysis.sources.prometheus_agents import Known
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Sample, told
from rollouts.analysis.specs import GateSpec
from rollouts.plans.metrics import Source
from rollouts.promql import build
from rollouts.promql.names import UNTIL_FAILURE, spellings
from rollouts.promql.read import Expression, condition
from rollouts.promql.rewrite import Rewriting, rewritten

NAME = Source.PROMETHEUS.value
NOBODY_KNOWN = text("prometheus.knows_none")
# A range is not made shorter than this: fewer samples say nothing.
SHORTEST_RANGE_S = 30.0
# So few latecomers are left out until they are as far as the others.
_MOST_LATE = 0.05
MOST_KEPT_SERIES, MOST_KEPT_LABELS = 5, 20


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What Prometheus has of the metrics that a condition names: spellings by metric, and whose
    series they are. `missing` are metrics that it has under no name."""

    names: dict[str, tuple[str, ...]]
    missing: tuple[str, ...]
    samples: tuple[Sample, ...]
    found: frozenset[str]

    @property
    def note(self) -> Text | str:
        """Say which other names were asked."""
        asked = {
            metric: [name for name in names if name != metric]
            for metric, names in self.names.items()
        }
        parts = [
            text("condition.asked_for", names=" and ".join(names), metric=metric)
            for metric, names in asked.items()
            if names
        ]
        return text("condition.asked", parts=parts) if parts else ""


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """What a condition gave, by whose series it is."""

    ours: list[Sample] = field(default_factory=list)
    agents: frozenset[int] = frozenset()
    others: int = 0
    strangers: int = 0


def vocabulary(
    api: PrometheusApi, grouping: Iterable[str], found: Expression, at: datetime
) -> Vocabulary:
    """Ask which spellings of the metrics of an expression are there. One query. Raises Trouble."""
    if not found.metrics:
        return Vocabulary({}, (), (), frozenset())
    every = {name: spellings(name) for name in found.metrics}
    wanted = sorted({name for names in every.values() for name in names})
    query = build.by("group", ["__name__", *grouping], build.selector(wanted))
    samples = api.query(query, at)
    known = {sample.labels.get("__name__", "") for sample in samples}
    there = {metric: tuple(n for n in names if n in known) for metric, names in every.items()}
    return Vocabulary(
        names={metric: names or (metric,) for metric, names in there.items()},
        missing=tuple(metric for metric, names in there.items() if not names),
        samples=tuple(samples),
        found=frozenset(known),
    )


def is_true(found: Expression, sample: Sample) -> bool:
    """Tell whether a series that a condition gives says yes. Whatever its value it does
    (`sum(x) == 0` gives 0); only where the condition says `bool` PromQL itself answers 0 for no."""
    return sample.value != 0 or not found.uses_bool


def read_condition(api: PrometheusApi, known: Known, spec: GateSpec, scene: Scene) -> Reading:
    """Return the reading of a trigger. Raises Trouble, BadPromql."""
    return _Asking(api, known, spec, scene).reading()


class _Asking:
    """One condition at one time."""

    def __init__(self, api: PrometheusApi, known: Known, spec: GateSpec, scene: Scene) -> None:
        self._api, self._known, self._spec, self._scene = api, known, spec, scene
        self._found = condition(spec.query)
        self._is_whole = known.is_whole(self._found.kept)
        self._words = vocabulary(api, known.grouping, self._found, scene.now)
        self._resolver = known.at(scene.now)
        fits = [self._fit(sample) for sample in self._words.samples]
        self._best = strongest(fits)
        self._notes: list[Text | str] = [self._words.note]

    def reading(self) -> Reading:
        scene, members = self._scene, self._scene.running
        if not members:
            return self._silent(text("reading.nobody_has_new"))
        ages = _ages(scene)
        groups = _groups(ages, self._found)
        if not groups:
            return self._silent(self._too_early(max(ages.values())))
        judged = frozenset().union(*(agents for agents, _ in groups))
        answer = self._ask(groups)
        if not answer.ours:
            missing = self._why_unknown(judged)
            if missing:
                told = self._strangers(answer)
                return self._silent(also([missing, told]))
        return self._told(answer, judged)

    def _ask(self, groups: Sequence[tuple[frozenset[int], float | None]]) -> ConditionAnswer:
        """Ask once for each group of agents; each answers for its own agents only."""
        ours: list[Sample] = []
        breached: set[int] = set()
        others = strangers = 0
        for agents, longest_s in groups:
            query = rewritten(self._found, Rewriting(self._words.names, longest_s))
            if longest_s is not None:
                self._notes.append(text("condition.ranges_cut", seconds=longest_s))
            found = self._api.query(query, self._scene.now)
            samples = [sample for sample in found if is_true(self._found, sample)]
            if self._is_whole:
                ours += samples
                continue
            self._known.learn(samples, self._scene.now)
            self._resolver = self._known.at(self._scene.now)
            mine, outside, unknown = self._sorted(samples, agents)
            ours += [sample for sample, _ in mine]
            breached |= {agent for _, found in mine for agent in found}
            others, strangers = max(others, outside), max(strangers, unknown)
        return ConditionAnswer(ours, frozenset(breached), others, strangers)

    def _sorted(
        self, samples: Iterable[Sample], agents: frozenset[int]
    ) -> tuple[list[tuple[Sample, frozenset[int]]], int, int]:
        mine, others, strangers = [], 0, 0
        for sample in samples:
            fit = self._fit(sample)
            if fit is STRANGER:
                strangers += 1
            elif all(self._is_weak(fit, agent) for agent in fit.agents):
                strangers += not fit.is_sure  # else the agent itself, under other labels
            elif fit.agents & agents:
                mine.append((sample, fit.agents & agents))
            else:
                others += 1
        return mine, others, strangers

    def _fit(self, sample: Sample) -> Fit:
        return self._resolver.fit(self._found.kept.of(sample.labels))

    def _is_weak(self, fit: Fit, agent: int) -> bool:
        """Whether the agent has such a series under a stronger label: then this is another's."""
        return self._best.get(agent, fit.rank) < fit.rank

    def _why_unknown(self, judged: frozenset[int]) -> Text | str:
        """Say why an empty answer proves nothing, "" when it does: every metric named is there,
        and told of agents of ours; but a backend's, summed up, need not be. A counter that begins
        with the first failure may be missing where Prometheus knows our agents otherwise."""
        missing = [name for name in self._words.missing if not UNTIL_FAILURE.match(name)]
        if missing:
            return text("prometheus.no_metric", names=", ".join(missing))
        named = [metric for metric in self._found.metrics if not UNTIL_FAILURE.match(metric)]
        if self._is_whole and named and not any(name.startswith("otelcol_") for name in named):
            return ""
        known = self._knows(named, judged, self._scene.now)
        if not known:
            return NOBODY_KNOWN
        if len(known) >= FEWEST_STILL_SENDING * len(judged):
            return ""
        before = self._knows(named, judged, self._scene.phase.started_at or self._scene.now)
        if len(known & before) >= FEWEST_STILL_SENDING * len(before):
            return ""
        still, had = len(known & before), len(before)
        return text("reading.samples_still", still=still, had=had)

    def _knows(
        self, metrics: Sequence[str], judged: frozenset[int], at: datetime
    ) -> frozenset[int]:
        """Return the agents of which these metrics speak; without any, those that are alive."""
        wanted = metrics or ("otelcol_process_uptime", "process_cpu_seconds_total")
        names = {name for metric in wanted for name in spellings(metric)}
        if at == self._scene.now and metrics:
            samples: Sequence[Sample] = self._words.samples
        else:
            labels = ["__name__", *self._known.grouping]
            samples = self._api.query(build.by("group", labels, build.selector(sorted(names))), at)
        resolver = self._known.at(at)
        found = [
            resolver.fit(sample.labels).agents
            for sample in samples
            if sample.labels.get("__name__") in names
        ]
        return frozenset().union(*found) & judged if found else frozenset()

    def _too_early(self, oldest_s: float) -> Text:
        return text("condition.too_early", reach=self._found.reach.seconds, runs=max(0.0, oldest_s))

    def _silent(self, why: Text | str) -> Reading:
        return silent(Outcome.NO_DATA, NAME, why, self._spec.query)

    def _strangers(self, answer: ConditionAnswer) -> Text | str:
        if not answer.strangers:
            return ""
        return text("reading.strangers", count=answer.strangers)

    def _told(self, answer: ConditionAnswer, judged: frozenset[int]) -> Reading:
        notes = [*self._notes, self._strangers(answer)]
        if answer.others:
            notes.append(text("reading.others", count=answer.others))
        if self._is_whole:
            notes.append(text("reading.as_a_whole"))
        return Reading(
            outcome=Outcome.VALUE,
            value=answer.ours[0].value if answer.ours else None,
            agents=len(answer.agents) or len(judged),
            samples=len(answer.ours),
            source=NAME,
            note=also(note for n, note in enumerate(notes) if note not in notes[:n]),
            query=self._spec.query,
            breached=bool(answer.ours),
            inputs={"series": [_labels(sample) for sample in answer.ours[:MOST_KEPT_SERIES]]},
        )


def _ages(scene: Scene) -> dict[int, float]:
    """Return for how many seconds each agent has run the new version, its warm-up left out."""
    warm_up = timedelta(seconds=warm_up_of(float(scene.phase.spec["duration_s"])))
    return {
        member.agent_id: (scene.now - (member.changed_at or scene.now) - warm_up).total_seconds()
        for member in scene.running
    }


def _groups(ages: dict[int, float], found: Expression) -> list[tuple[frozenset[int], float | None]]:
    """Return whom to judge, and with ranges of at most how many seconds (None: as written).

    Agents whose range lies wholly behind their change are judged as written. The others are judged
    on what they have, unless they are few beside them, or it is too little.
    """
    reach_s = found.reach.seconds
    full = frozenset(agent for agent, age_s in ages.items() if age_s >= max(reach_s, 0.0))
    young = sorted(age_s for agent, age_s in ages.items() if agent not in full)
    groups: list[tuple[frozenset[int], float | None]] = [(full, None)] if full else []
    if not young or found.reach.is_past or (full and len(young) <= _MOST_LATE * len(ages)):
        return groups
    longest_s = young[int(len(young) * _MOST_LATE)]
    if longest_s >= min(SHORTEST_RANGE_S, reach_s):
        ready = frozenset(a for a, age_s in ages.items() if a not in full and age_s >= longest_s)
        groups.append((ready, longest_s))
    return groups


def _labels(sample: Sample) -> dict[str, str]:
    """Return what is kept of a series: any agent can choose its labels, so they have a limit."""
    kept = islice(sample.labels.items(), MOST_KEPT_LABELS)
    return {told(name, 100): told(value, 200) for name, value in kept}
