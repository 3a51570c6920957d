from __future__ import annotations

from typing import Annotated, TypedDict

from console.api.shapes.answer import OneOf, Uid, said
from rollouts.errors.apart import FactKind, HowApart
from rollouts.errors.groups import KINDS
from rollouts.errors.places import PlaceChange


class ErrorCount(TypedDict):
    value: Annotated[str, said("empty: the agents do not say it")]
    agents: int


class ErrorExample(TypedDict):
    agent: Uid
    name: str


class ErrorLine(TypedDict):
    line: Annotated[int, said("from 1")]
    text: Annotated[str, said("without what stands before it; a secret is hidden")]


class ErrorPlace(ErrorLine):
    """What the text names in the version, and what the version before had there."""

    path: Annotated[list[str], said("keys down to it; empty where only the line is known")]
    since_before: Annotated[str, OneOf(tuple(change.value for change in PlaceChange))]
    before: ErrorLine | None


class ErrorGroup(TypedDict):
    """One fault: texts that differ only in numbers, ids and hosts."""

    kind: Annotated[str, OneOf(KINDS)]
    text: Annotated[str, said("the most frequent wording, 2,000 characters at most")]
    gave_no_reason: bool
    component: Annotated[str, said("e.g. `exporter otlp/eu`; empty when the text names none")]
    agents: int
    wordings: int
    versions: list[ErrorCount]
    regions: list[ErrorCount]
    examples: list[ErrorExample]
    places: list[ErrorPlace]


class ErrorFact(TypedDict):
    kind: Annotated[str, OneOf(tuple(kind.value for kind in FactKind))]
    key: Annotated[str, said("a label, or a component such as `processor:transform`")]
    value: str


class ErrorCause(TypedDict):
    """A fact that the failures have and those that run the version lack."""

    fact: ErrorFact
    same_agents: Annotated[list[ErrorFact], said("facts of exactly the same agents")]
    failed: int
    passed: int
    chance: Annotated[float, said("that so clear a split is chance: Fisher, then Bonferroni")]
    selector_without: Annotated[str, said("the rollout's selector without them; may be empty")]


class ErrorComparison(TypedDict):
    told: Annotated[str, OneOf(tuple(told.value for told in HowApart))]
    failed: Annotated[int, said("agents compared, 1,000 at most")]
    passed: Annotated[int, said("agents compared, 1,000 at most")]
    causes: list[ErrorCause]


class Errors(TypedDict):
    agents: Annotated[int, said("all that failed, with those that are back since")]
    not_shown: Annotated[int, said("of them in groups that are left out")]
    version: int
    previous_version: int | None
    groups: list[ErrorGroup]
    apart: ErrorComparison
