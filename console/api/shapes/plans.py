from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from console.api.shapes.answer import said
from console.api.shapes.base import Body, SelectorField


class PlanPhase(TypedDict):
    name: str
    weight: Annotated[float, said("share of the matched agents, 0 to 1, cumulative")]
    duration_s: float
    manual: Annotated[bool, said("does not start until a person approves")]
    selector: Annotated[str | None, said("null: the rollout's own")]


class Plan(TypedDict):
    name: str
    description: str
    built_in: bool
    phases: list[PlanPhase]
    updated_at: datetime
    updated_by: str | None


class PlanList(TypedDict):
    plans: list[Plan]


class PlanDetail(Plan):
    text: Annotated[str, said("the file as written")]
    plan: Annotated[dict[str, Any], said("the plan with every default filled in")]


class DryAnswer(TypedDict):
    name: Annotated[str, said("the trigger, or the metric of the query")]
    promql: str
    agents: Annotated[int, said("agents of ours that have the metrics it names")]
    strangers: Annotated[int, said("series that fit no agent of ours: ignored")]
    breached: Annotated[
        int | None, said("agents that it is true for; null: a query has no yes or no")
    ]
    whole: Annotated[bool, said("names no agent, speaks for the rollout as a whole")]
    missing: Annotated[list[str], said("metrics that are there under no known name")]
    trouble: Annotated[str, said('why there is no answer, "" when there is one')]
    says: Annotated[str, said("all of it in one sentence")]


class PlanCheck(TypedDict):
    name: str
    plan: Annotated[dict[str, Any], said("the plan with every default filled in")]
    today: Annotated[list[DryAnswer], said("what its PromQL finds now")]
    notes: Annotated[list[str], said("what may be wrong with its selectors: labels nobody has")]


class SelectorBody(Body):
    selector = SelectorField()


class Selector(TypedDict):
    name: str
    selector: Annotated[str, said("text form")]
    yaml: Annotated[dict[str, Any], said("the same in YAML form")]
    updated_at: datetime
    updated_by: str | None


class SavedSelector(Selector):
    notes: Annotated[list[str], said("what may be wrong with it: labels nobody has")]


class SelectorList(TypedDict):
    selectors: list[Selector]
