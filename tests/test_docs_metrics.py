"""docs/metrics.md is what `console/docs/metrics.py` writes."""

from __future__ import annotations

from pathlib import Path

from console.docs.metrics import as_markdown
from rollouts.analysis.catalogue import CATALOGUE
from rollouts.analysis.sources.prometheus_queries import queries_of
from rollouts.plans.metrics import METRICS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"


def test_the_page_is_current() -> None:
    hint = "manage.py metrics > docs/metrics.md"
    assert PAGE.read_text() == as_markdown(), hint


def test_the_queries_are_those_that_are_asked() -> None:
    assert any("otelcol_process_cpu_seconds" in query for query in queries_of("cpu_increase"))
    assert all("service_instance_id" in query for name in CATALOGUE for query in queries_of(name))


def test_every_metric_that_plans_can_name_is_described() -> None:
    assert set(CATALOGUE) == set(METRICS)
