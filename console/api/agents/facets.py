"""`agents/facets`: how many agents each status, unhealthy component and label value has."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.selectors.fields import component_written
from console.api import params
from console.api.agents.views import agents_asked
from console.api.shapes import agents as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView

MAX_VALUES = 200  # a label with more names one agent each


class Facets(ApiView):
    verbs = {"GET": "agents.view"}

    @extend_schema(
        operation_id="agents_facets",
        parameters=[params.SELECTOR, params.STATUS],
        responses=shapes.AgentFacets,
    )
    def get(self, request: Request) -> Answer[shapes.AgentFacets]:
        """Count the agents that match by what they have in common, as beside the agents list."""
        found = agents_asked(
            self, params.SELECTOR.of(request), params.STATUS.of(request), timezone.now()
        )
        statuses = found.by_status()
        sick = {component_written(name): n for name, n in found.by_sick_component().items()}
        answer: shapes.AgentFacets = {
            "agents": sum(statuses.values()),
            "statuses": _most_first(statuses),
            "sick_components": _most_first(sick),
            "labels": {
                key: _most_first(counts)
                for key, counts in sorted(found.by_label().items())
                if len(counts) <= MAX_VALUES
            },
        }
        return Answer(answer)


def _most_first(counts: Mapping[str, int]) -> list[shapes.Counted]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"value": value, "agents": number} for value, number in ordered]
