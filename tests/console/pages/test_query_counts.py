"""No page asks the database more when there are more rows, and none more than 12 times."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rollouts.models import Rollout
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_approval, make_events, make_readings, make_rollout

pytestmark = pytest.mark.django_db

LIMIT = 12
# The stops of a replay, the rollout as it was, and the regions of its page; the signature of a version;
# what is known against the newest version of each config; how many agents a rollout has, so that a large
# one reads none of them.
LIMITS = {"replay": 17, "rollout": 13, "diff": 13, "rollout readiness": 13, "configs": 13}


def queries(client: Client, url: str, **headers: str) -> list[str]:
    with CaptureQueriesContext(connection) as taken:
        answer = client.get(url, headers=headers)
        assert answer.status_code == 200, answer.content[:500]
        assert answer.getvalue()
    return [q["sql"] for q in taken.captured_queries]


def grow(times: int) -> Rollout:
    """Add agents, configs, rollouts, events, readings and approvals."""
    starter = make_user(f"starter-{times}", "operator", "author")
    rollout = None
    for i in range(times):
        versions = make_config(f"edge-{times}-{i}", 2, starter)
        agents = make_fleet(3, running=versions[0].config_hash)
        phases = ("passed", "observing", "awaiting_approval")
        rollout = make_rollout(versions[1], agents=agents, by=starter, phases=phases)
        make_events(rollout, times)
        make_readings(rollout, times)
        make_approval(rollout)
        over = make_rollout(versions[1], state="succeeded", phases=("passed", "passed", "passed"))
        make_readings(over, times)
    assert rollout is not None
    return rollout


PAGES: dict[str, Callable[[Rollout], str]] = {
    "overview": lambda r: "/",
    "agents": lambda r: "/agents/?q=env%3Dprod",
    "agent": lambda r: f"/agents/{r.targets.latest('pk').agent.instance_uid}/",
    "refused agents": lambda r: "/agents/refused/",
    "retire agents": lambda r: "/agents/retire/?q=env%3Dprod",
    "retirement": lambda r: "/settings/retirement/",
    "signing keys": lambda r: "/settings/signing-keys/",
    "agent history": lambda r: f"/agents/{r.targets.latest('pk').agent.instance_uid}/history/",
    "configs": lambda r: "/configs/",
    "diff": lambda r: f"/configs/{r.config.name}/diff/1...2/",
    "certificates": lambda r: "/certificates/",
    "rollouts": lambda r: "/rollouts/",
    "rollout": lambda r: f"/rollouts/{r.pk}/",
    "rollout agents": lambda r: f"/rollouts/{r.pk}/agents/",
    "rollout readiness": lambda r: f"/rollouts/{r.pk}/readiness/",
    "readings": lambda r: f"/rollouts/{r.pk}/readings/?gate=criterion:failure_rate",
    "replay": lambda r: f"/rollouts/{r.pk}/replay/",
    "timeline": lambda r: f"/rollouts/{r.pk}/timeline/",
    "share links": lambda r: f"/rollouts/{r.pk}/share/",
    "abort": lambda r: f"/rollouts/{r.pk}/abort/",
    "approvals": lambda r: "/approvals/",
    "audit": lambda r: "/audit/",
    "search": lambda r: "/search/?q=edge",
    "profile": lambda r: "/settings/profile/",
    "freeze windows": lambda r: "/settings/freeze/",
    "plans": lambda r: "/plans/",
    "back-test": lambda r: "/plans/standard/backtest/",
}


@pytest.mark.parametrize("area", PAGES)
def test_a_page_costs_the_same_however_many_rows(area: str) -> None:
    client = sign_in("vera", "viewer", "approver")
    first = grow(2)
    few = queries(client, PAGES[area](first))
    many = queries(client, PAGES[area](grow(9)))
    assert len(many) <= len(few), "\n".join(many)
    assert len(many) <= LIMITS.get(area, LIMIT), "\n".join(
        f"{i}. {q[:160]}" for i, q in enumerate(many, 1)
    )


def test_facets_cost_the_same_however_many_agents() -> None:
    client = sign_in("vera", "viewer")
    grow(1)
    headers = {"HX-Request": "true", "HX-Target": "agent-facets"}
    few = queries(client, "/agents/", **headers)
    grow(9)
    many = queries(client, "/agents/?q=region%3Dr1", **headers)
    assert len(many) <= len(few) + 1
    assert len(many) <= LIMIT
