"""The metric catalogue: what each metric means, its unit, its bad side, where it comes from."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.pages.frame.needs import HtmxRequest, needs
from rollouts.analysis.catalogue import CATALOGUE, SOURCE_WORDS
from rollouts.analysis.sources.prometheus_queries import queries_of


@require_GET
@needs("metrics.view")
def catalogue(request: HtmxRequest) -> HttpResponse:
    """Show every metric that criteria and guards can name."""
    rows = [
        {
            "metric": metric,
            "unit": metric.unit,
            "compare": " or ".join(metric.kind.comparisons),
            "queries": "\n".join(queries_of(metric.name)),
            "sources": [
                (SOURCE_WORDS[source], metric.sources[source])
                for source in SOURCE_WORDS
                if source in metric.sources
            ],
        }
        for metric in CATALOGUE.values()
    ]
    return render(request, "help/metrics.html", {"rows": rows})
