"""Series joined with agents: the targets behind an `instance`, and agents outside a rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models.fields.json import KeyTextTransform

from agents.models import Agent
from rollouts.analysis.identity import (
    INSTANCE,
    SERVICE_INSTANCE,
    STRANGER,
    AgentLabel,
    Fit,
    Names,
    Resolver,
    Targets,
    grouping_of,
    names_of,
    strongest,
)
from rollouts.analysis.scene import Member
from rollouts.analysis.sources.prometheus_api import PrometheusApi, Sample
from rollouts.promql import build
from rollouts.promql.kept import Kept
from rollouts.promql.names import spellings
from rollouts.sql.names import going_by

# What says who a target is, and what only a collector exports while it runs.
ALIVE = spellings("otelcol_process_uptime")
_WHO = ["target_info", *ALIVE]
# So many values of one attribute are looked up among agents outside the rollout at once, and at most.
LOOKED_UP_AT_ONCE, MOST_LOOKED_UP = 2_000, 20_000
Merge = Callable[[Sequence[float]], float]


class Known:
    """The agents that are looked for, and whose series is whose at a time. One serves one scene."""

    def __init__(
        self,
        api: PrometheusApi,
        labels: Sequence[AgentLabel],
        members: Iterable[Member],
    ) -> None:
        self._api = api
        self._labels = tuple(labels)
        self._names = Names()
        self._resolvers: dict[datetime, Resolver] = {}
        self._told: dict[datetime, list[Sample]] = {}
        self._looked_up: set[tuple[str, str]] = set()
        for member in members:
            for attribute, value in member.names:
                self._names.add(member.agent_id, attribute, value)

    @property
    def grouping(self) -> tuple[str, ...]:
        """The labels to group by, so that answers can be joined with agents."""
        return grouping_of(self._labels)

    def is_whole(self, kept: Kept) -> bool:
        """Tell whether a result with these labels can name no agent."""
        return not any(one.label in kept for one in self._labels)

    def at(self, at: datetime) -> Resolver:
        """Return who is who at a time. Asks for the targets once. Raises Trouble."""
        if at not in self._resolvers:
            resolver = Resolver(self._labels, self._names, Targets())
            if any(one.label == INSTANCE for one in self._labels):
                for sample in self._targets(at):
                    resolver.add_target(sample.labels)
            self._resolvers[at] = resolver
        return self._resolvers[at]

    def _targets(self, at: datetime) -> list[Sample]:
        if at not in self._told:
            labels = ["__name__", *self.grouping]
            self._told[at] = self._api.query(build.by("group", labels, build.selector(_WHO)), at)
        return self._told[at]

    def fits(self, samples: Sequence[Sample], at: datetime) -> list[Fit]:
        """Return whose series each sample is."""
        resolver = self.at(at)
        return [resolver.fit(sample.labels) for sample in samples]

    def values(self, query: str, at: datetime, merge: Merge) -> dict[int, float]:
        """Ask a query; return one value per agent, `merge`d from the series of its strongest label."""
        samples = self._api.query(query, at)
        fits = self.fits(samples, at)
        best = strongest(fits)
        found: dict[int, list[float]] = {}
        for sample, fit in zip(samples, fits, strict=True):
            for agent in fit.agents:
                if best[agent] == fit.rank:
                    found.setdefault(agent, []).append(sample.value)
        return {agent: merge(values) for agent, values in found.items()}

    def learn(self, samples: Iterable[Sample], at: datetime) -> None:
        """Look up the agents outside the rollout that these series may speak of: so that they are
        not taken for strangers. One or two queries for each label that names agents."""
        resolver = self.at(at)
        unknown = [s.labels for s in samples if resolver.fit(s.labels) is STRANGER]
        for one in self._labels:
            values = {labels[one.label] for labels in unknown if labels.get(one.label)}
            self._look_up(one.attribute, values)
        if unknown:
            self._resolvers.pop(at, None)

    def learn_targets(self, at: datetime) -> None:
        """Look up every agent that a target says it is; for a look at the whole fleet."""
        self.learn(self._targets(at), at)

    def _look_up(self, attribute: str, values: set[str]) -> None:
        wanted = {value for value in values if (attribute, value) not in self._looked_up}
        self._looked_up |= {(attribute, value) for value in wanted}
        asked = sorted(wanted)[:MOST_LOOKED_UP]
        for begin in range(0, len(asked), LOOKED_UP_AT_ONCE):
            some = asked[begin : begin + LOOKED_UP_AT_ONCE]
            uids = [uid for value in some if attribute == SERVICE_INSTANCE and (uid := _uid(value))]
            agents = Agent.objects.filter(pk__in=going_by(attribute, some, uids))
            said = agents.annotate(_name=KeyTextTransform(attribute, "labels"))
            for agent_id, uid, name in said.values_list("pk", "instance_uid", "_name"):
                for known_as, value in names_of(uid, [attribute], [name]):
                    self._names.add(agent_id, known_as, value)


def _uid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
