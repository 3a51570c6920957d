"""`rollouts/{id}/errors`: what the agents said that failed, in groups, and what sets them apart."""

from __future__ import annotations

from collections.abc import Iterable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api.rollouts.views import rollout_of
from console.api.shapes import errors as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView
from console.lib.texts import said
from rollouts.errors import causes, report
from rollouts.errors.apart import Apart, Fact
from rollouts.errors.excluding import without
from rollouts.errors.groups import HeldBy
from rollouts.errors.places import Place, SourceLine
from rollouts.errors.report import Located
from rollouts.models import Rollout


class RolloutErrors(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(operation_id="rollouts_errors", responses=shapes.Errors)
    def get(self, request: Request, pk: int) -> Answer[shapes.Errors]:
        """What agents said that refused the version, were silent, fell back, were lost or fell ill.

        Agents that went back since are in it. At most 10 groups, the largest first.
        """
        rollout = rollout_of(self, pk)
        found = report.of_rollout(rollout)
        compared = found.apart or causes.of_rollout(rollout)
        return Answer(
            {
                "agents": found.agents,
                "not_shown": found.more,
                "version": found.version.number,
                "previous_version": found.before.number if found.before else None,
                "groups": [_group(located) for located in found.located],
                "apart": _apart(compared, rollout),
            }
        )


def _group(located: Located) -> shapes.ErrorGroup:
    fault = located.group
    return {
        "kind": fault.kind,
        "text": said(fault.text),
        "gave_no_reason": fault.is_silent,
        "component": fault.component,
        "agents": fault.agents,
        "wordings": fault.wordings,
        "versions": _counts(fault.versions),
        "regions": _counts(fault.regions),
        "examples": [{"agent": one.uid, "name": one.name} for one in fault.samples],
        "places": [_place(place) for place in located.places],
    }


def _counts(held: Iterable[HeldBy]) -> list[shapes.ErrorCount]:
    return [{"value": one.value, "agents": one.agents} for one in held]


def _place(place: Place) -> shapes.ErrorPlace:
    return {
        **_line(place.line),
        "path": [str(part) for part in place.path],
        "since_before": place.change.value,
        "before": _line(place.was) if place.was is not None else None,
    }


def _line(line: SourceLine) -> shapes.ErrorLine:
    return {"line": line.number, "text": line.text}


def _apart(compared: Apart, rollout: Rollout) -> shapes.ErrorComparison:
    return {
        "told": compared.verdict.value,
        "failed": compared.failed,
        "passed": compared.passed,
        "causes": [
            {
                "fact": _fact(cause.fact),
                "same_agents": [_fact(fact) for fact in cause.same],
                "failed": cause.failed,
                "passed": cause.passed,
                "chance": cause.chance,
                "selector_without": without(rollout.selector, cause.fact),
            }
            for cause in compared.causes
        ],
    }


def _fact(fact: Fact) -> shapes.ErrorFact:
    return {"kind": fact.kind.value, "key": fact.key, "value": fact.value}
