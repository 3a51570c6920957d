from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.models import Agent, Series
from console.pages.agents.own_metrics import OwnCharts, read
from rollouts.models import Target
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
BORN = NOW - timedelta(days=1)


def make_series(agent: Agent, values: Sequence[dict[str, Any]], *, every_s: float = 60) -> None:
    """Write rows of an agent's own metrics, the last one at NOW."""
    for number, found in enumerate(reversed(values)):
        at = NOW - timedelta(seconds=number * every_s)
        Series.objects.create(agent=agent, at=at, measured_at=at, **{"started_at": BORN, **found})


def charts(agent: Agent, now: datetime = NOW) -> dict[str, tuple[str, str]]:
    return {one.name: (one.now, one.most) for one in read(agent.pk, now).charts}


@pytest.fixture
def agent() -> Agent:
    return make_fleet(1)[0]


def test_counters_become_rates_per_second(agent: Agent) -> None:
    sent = [[0.0, None, 60.0 * n] for n in (0, 10, 30)]
    make_series(agent, [{"cpu_s": 6.0 * n, "sent": s} for n, s in enumerate(sent)])
    assert charts(agent) == {
        "CPU": ("10.0 % of a core", "10.0 % of a core"),
        "Sent items": ("20.0/s", "20.0/s"),
        "Refused or failed items": ("0.0/s", "0.0/s"),
    }


def test_what_was_refused_and_what_failed_are_dropped(agent: Agent) -> None:
    rows: list[dict[str, Any]] = [
        {"sent": [1.0], "refused": None},
        {"sent": [1.0], "refused": [60.0], "failed": [120.0]},
    ]
    make_series(agent, rows)
    assert charts(agent)["Refused or failed items"] == ("3.0/s", "3.0/s")


def test_a_restart_is_no_reading(agent: Agent) -> None:
    make_series(
        agent,
        [{"cpu_s": 900.0}, {"cpu_s": 906.0}, {"cpu_s": 3.0, "started_at": NOW}],
    )
    assert charts(agent) == {"CPU": ("10.0 % of a core", "10.0 % of a core")}


def test_memory_is_a_level(agent: Agent) -> None:
    make_series(agent, [{"rss_bytes": n * 1e6} for n in (200, 410, 300)])
    assert charts(agent) == {"Memory": ("300 MB", "410 MB")}


def test_over_a_gap_there_is_no_reading(agent: Agent) -> None:
    make_series(agent, [{"cpu_s": 0.0}, {"cpu_s": 6.0}], every_s=1_000)
    assert charts(agent) == {}


def test_only_the_last_hour_is_read(agent: Agent) -> None:
    make_series(agent, [{"rss_bytes": 1e6}, {"rss_bytes": 2e6}])
    assert charts(agent, NOW + timedelta(hours=2)) == {}


def test_the_rollout_that_reached_it_is_marked(agent: Agent) -> None:
    rollout = make_rollout(make_config("edge", 2)[1], agents=[agent])
    Target.objects.update(offered_at=NOW - timedelta(minutes=20))
    make_series(agent, [{"rss_bytes": 1e6}, {"rss_bytes": 2e6}])
    found: OwnCharts = read(agent.pk, NOW)
    assert rollout.number in found.charts[0].svg


def test_a_page_without_any_says_so(agent: Agent) -> None:
    page = markup(sign_in("vera", "viewer").get(f"/agents/{agent.instance_uid}/"))
    assert "None were received in the last hour." in page
