from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import AgentStatus
from console.pages.rollouts.readiness import LABELS
from rollouts.drafts.readiness import ABOUT_AGENTS
from rollouts.models import Target
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import ROLLOUTS, created, make_edge_fleet
from tests.console.api.people import by_token

pytestmark = pytest.mark.django_db


def drafted(agents: int = 3, offline: int = 1) -> str:
    """Draft a rollout some of whose targets went offline; return its readiness address."""
    make_edge_fleet(agents)
    found = created()
    away = Target.objects.order_by("pk").values("agent_id")[:offline]
    AgentStatus.objects.filter(agent_id__in=away).update(connected=False)
    return f"{ROLLOUTS}/{found['id']}/readiness"


def read(url: str) -> dict[str, Any]:
    found: dict[str, Any] = assert_as_documented("rollouts_readiness", by_token("viewer").get(url))
    return found


def test_every_target_says_what_was_found_about_it() -> None:
    found = read(drafted())
    [offline] = [f for f in found["findings"] if f["check"] == "offline"]
    assert (offline["level"], offline["count"], offline["about_agents"]) == ("note", 1, True)
    said = [[f["check"] for f in target["findings"]] for target in found["targets"]]
    assert sorted(said) == [[], [], ["offline"]]


def test_targets_are_listed_by_finding_and_by_level() -> None:
    url = drafted()
    assert len(read(f"{url}?check=offline")["targets"]) == 1
    assert len(read(f"{url}?level=note")["targets"]) == 1
    assert read(f"{url}?level=block")["targets"] == []
    assert read(f"{url}?check=components")["targets"] == []
    for wrong in ("level=x", "check=unheard-of"):
        assert by_token("viewer").get(f"{url}?{wrong}").status_code == 422


def test_targets_come_page_by_page() -> None:
    url = drafted(agents=5, offline=5)
    first = read(f"{url}?check=offline&limit=2")
    rest = read(f"{url}?check=offline&after={first['next']}")
    names = [target["name"] for target in first["targets"] + rest["targets"]]
    assert len(first["targets"]) == 2
    assert len(set(names)) == len(names) == 5


def test_the_queries_do_not_grow_with_the_targets() -> None:
    url, client = drafted(agents=12, offline=6), by_token("viewer")
    client.get(f"{url}?limit=1")
    taken = []
    for limit in (1, 12):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{url}?limit={limit}")
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 16


def test_the_page_has_words_for_every_check_of_single_agents() -> None:
    assert set(LABELS) == set(ABOUT_AGENTS)
