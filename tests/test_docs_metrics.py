"""docs/metrics.md is what `rollouts/analysis/catalogue.py` writes."""

from __future__ import annotations

from pathlib import Path

from rollouts.analysis.catalogue import CATALOGUE, as_markdown
from rollouts.plans.metrics import METRICS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"


def test_the_page_is_current() -> None:
    hint = "python -m rollouts.analysis.catalogue > docs/metrics.md"
    assert PAGE.read_text() == as_markdown(), hint


def test_every_metric_that_plans_can_name_is_described() -> None:
    assert set(CATALOGUE) == set(METRICS)
