"""Whose series is this? Labels of Prometheus joined with agents. Pure.

Which labels name an agent is a setting, strongest first. A series that says by
`service_instance_id` who it is, is that one or a stranger. An `instance` that is an address of
scraping is looked up among the targets: a collector names itself only in its `target_info`. A
weaker label (`host_name`) names everything that runs on a host: it counts only where the agent has
no such series under a stronger one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from console.lib.durations import BadValue
from rollouts.promql.build import is_label

SERVICE_INSTANCE = "service.instance.id"
HOST = "host.name"
INSTANCE, JOB = "instance", "job"
_USUAL = {INSTANCE: SERVICE_INSTANCE}
Ids = frozenset[int]
NOBODY: Ids = frozenset()


@dataclass(frozen=True, slots=True)
class AgentLabel:
    """A label of Prometheus and the attribute (or label) of the agent that it carries."""

    label: str
    attribute: str

    @property
    def is_proof(self) -> bool:
        """Whether a value that fits no agent proves that the series is a stranger's."""
        return self.attribute == SERVICE_INSTANCE and self.label != INSTANCE


def agent_labels(words: Iterable[str]) -> tuple[AgentLabel, ...]:
    """Read the setting: `host_name` carries `host.name`, `node=host.name` what it says.

    Raises BadValue on what is no name of a label.
    """
    found = []
    for word in filter(None, (word.strip() for word in words)):
        label, _, attribute = (part.strip() for part in word.partition("="))
        if not is_label(label):
            raise BadValue("value.no_prometheus_label", read=label)
        attribute = attribute or _USUAL.get(label) or label.replace("_", ".")
        found.append(AgentLabel(label, attribute))
    return tuple(found)


def attributes_of(labels: Iterable[AgentLabel]) -> tuple[str, ...]:
    """Return the attributes that agents are looked up by, each once."""
    return tuple(dict.fromkeys([SERVICE_INSTANCE, HOST, *(one.attribute for one in labels)]))


def grouping_of(labels: Iterable[AgentLabel]) -> tuple[str, ...]:
    """Return the labels to group by: what names an agent, and what a target is known by."""
    return tuple(dict.fromkeys([*(one.label for one in labels), JOB, INSTANCE]))


def names_of(
    uid: object, attributes: Sequence[str], values: Sequence[str | None]
) -> tuple[tuple[str, str], ...]:
    """Return what an agent goes by. Its uid is its service.instance.id, whatever it says itself."""
    said = [(name, value) for name, value in zip(attributes, values, strict=True) if value]
    return tuple(dict.fromkeys([(SERVICE_INSTANCE, str(uid)), *said]))


@dataclass(frozen=True, slots=True)
class Fit:
    """The agents that a series speaks of, and how weak the label is that says so (0 strongest).

    `is_sure` where it names a program, not all that runs on a host.
    """

    agents: Ids = NOBODY
    rank: int = 0
    is_sure: bool = False


STRANGER = Fit()


@dataclass
class Names:
    """Agents by attribute and value."""

    _ids: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def add(self, agent_id: int, attribute: str, value: str | None) -> None:
        """Remember that an agent goes by this value."""
        if value:
            self._ids.setdefault((attribute, value), set()).add(agent_id)

    def find(self, attribute: str, value: str) -> Ids:
        """Return the agents that go by this value."""
        return frozenset(self._ids.get((attribute, value), NOBODY))


@dataclass
class Targets:
    """Targets of scraping, by job and instance: the agent each is, nobody for a known stranger.

    One that several agents speak through (a gateway) names none of them.
    """

    _ids: dict[tuple[str, str], Ids] = field(default_factory=dict)
    _jobs: dict[str, set[str]] = field(default_factory=dict)

    def add(self, job: str, instance: str, agents: Ids) -> None:
        """Remember who a target is; said twice, both count."""
        key = (job, instance)
        self._ids[key] = self._ids.get(key, NOBODY) | agents
        self._jobs.setdefault(instance, set()).add(job)

    def find(self, job: str, instance: str) -> Ids | None:
        """Return who it is, None when it is not known. Without a job, any of that instance."""
        if job:
            return self._sure(self._ids.get((job, instance)))
        found = [self._ids[j, instance] for j in self._jobs.get(instance, ())]
        return self._sure(frozenset().union(*found)) if found else None

    @staticmethod
    def _sure(found: Ids | None) -> Ids | None:
        return found if found is None or len(found) < 2 else None


class Resolver:
    """Says whose a series is."""

    def __init__(self, labels: Sequence[AgentLabel], names: Names, targets: Targets) -> None:
        self.labels = tuple(labels)
        self.names = names
        self.targets = targets

    def fit(self, labels: Mapping[str, str]) -> Fit:
        """Return whose series this is, `STRANGER` for one that fits no agent."""
        for rank, one in enumerate(self.labels):
            value = labels.get(one.label, "")
            if not value:
                continue
            if found := self.names.find(one.attribute, value):
                return Fit(found, rank, one.attribute == SERVICE_INSTANCE)
            if one.is_proof:
                return STRANGER
            if one.label == INSTANCE:
                known = self.targets.find(labels.get(JOB, ""), value)
                if known is not None:
                    return Fit(known, rank, True) if known else STRANGER
        return STRANGER

    def add_target(self, labels: Mapping[str, str]) -> None:
        """Learn a target from its `target_info`, or from what only collectors export."""
        instance = labels.get(INSTANCE, "")
        if not instance:
            return
        job = labels.get(JOB, "")
        fit = self.fit({name: value for name, value in labels.items() if name != INSTANCE})
        says_who = any(labels.get(one.label) for one in self.labels if one.is_proof)
        if fit is not STRANGER or says_who:
            self.targets.add(job, instance, fit.agents)
        elif labels.get("__name__") != "target_info":
            host = re.sub(r":\d+\Z", "", instance)
            if found := self.names.find(HOST, host):
                self.targets.add(job, instance, found)


def strongest(fits: Iterable[Fit]) -> dict[int, int]:
    """Return by agent the rank of the strongest label it is known by."""
    found: dict[int, int] = {}
    for fit in fits:
        for agent in fit.agents:
            found[agent] = min(fit.rank, found.get(agent, fit.rank))
    return found
