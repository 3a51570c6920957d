"""What a plan's PromQL would say before any rollout, from a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rollouts.actions.files.save_plan import save_plan
from rollouts.analysis.dry_run import Today, dry_answers
from rollouts.plans.parse import parse_plan
from tests.evidence.collectors import GOOD, write, write_strangers
from tests.evidence.prometheus import History, Prometheus
from tests.make.agents import make_collector
from tests.make.people import make_actor
from tests.make.times import NOW

pytestmark = [pytest.mark.real, pytest.mark.django_db]
PLAN = """name: watched
phases: [{name: all, weight: 100%, duration: 5m}]
rollback:
  triggers:
    - {name: cpu, condition: "rate(process_cpu_seconds_total[5m]) > 0.4", for: 5m}
    - {name: whole, condition: "sum(rate(process_cpu_seconds_total[5m])) > 1", for: 5m}
    - {name: calm, condition: "rate(process_cpu_seconds_total[5m]) > 100", for: 5m}
    - {name: typo, condition: "no_such_metric > 100", for: 5m}
"""


@pytest.fixture
def served(tmp_path: Path, settings: Any) -> Iterator[None]:
    """Two of three agents fare badly; so do a collector of somebody else and three programs."""
    agents = [make_collector({"env": "prod"}) for _ in range(3)]
    history = History()
    bad = replace(GOOD, cpu=0.6)
    write(history, agents[:2], change_at=NOW, after=bad, scraped=True)
    write(history, agents[2:], change_at=NOW, after=GOOD)
    write_strangers(history, change_at=NOW)
    server = Prometheus(tmp_path)
    server.start(history)
    settings.PROMETHEUS_URL = server.url
    yield
    server.stop()


@pytest.mark.usefixtures("served")
def test_a_dry_answer_counts_ours_and_strangers() -> None:
    later = NOW.replace(minute=20)
    found = {one.name: one for one in dry_answers(parse_plan(PLAN), later)}
    expected = {
        "cpu": Today("cpu", "", True, agents=3, strangers=4, breached=2),
        "whole": Today("whole", "", True, agents=3, strangers=4, breached=1, is_whole=True),
        "calm": Today("calm", "", True, agents=3, strangers=4, breached=0),
        "typo": Today("typo", "", True, breached=0, missing=("no_such_metric",)),
    }
    for name, wanted in expected.items():
        said = found[name]
        assert said.trouble == ""
        assert (said.breached, said.is_whole, said.missing) == (
            wanted.breached,
            wanted.is_whole,
            wanted.missing,
        )
        assert (said.agents, said.strangers) == (wanted.agents, wanted.strangers)


@pytest.mark.usefixtures("served")
def test_the_page_of_a_plan_shows_it(client: Client) -> None:
    author = make_actor("author")
    assert author.user is not None
    client.force_login(author.user)
    save_plan(name="watched", text=PLAN, by=author)
    page = client.get(reverse("plans:detail", args=["watched"])).content.decode()
    assert reverse("plans:today", args=["watched"]) in page
    shown = client.get(reverse("plans:today", args=["watched"])).content.decode()
    assert "no_such_metric" in shown
    assert "strangers" in shown
