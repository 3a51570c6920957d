"""The main job on real clients: four supervised collectors and two opamp-go agents among a
simulated fleet, a good rollout to its end and a bad one that comes back by itself.

What counts is what each collector really runs: its own health endpoint answers under a path that
names the version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.build import Binaries
from tests.clients.opampgo import OpampGoAgent
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually
from tests.product import Product, running, wait_for
from tests.real.conftest import Clients
from tests.real.recorded import hash_of

pytestmark = pytest.mark.real

SIMULATED = 14
GOOD = marked_config("good")
BAD = marked_config("bad", exporters={"debug": {"verbosity": "loud"}})
FINAL = {"succeeded", "rolled_back", "rollback_incomplete", "aborted", "superseded"}
_CRITERIA = [{"metric": "failure_rate", "operator": "<", "threshold": 0.05}]
PLAN = {
    "phases": [
        {
            "name": "half of the real ones",
            "selector": {"labels": {"fleet": "real"}},
            "weight": "50%",
            "duration": "3s",
            "success_criteria": _CRITERIA,
        },
        {
            "name": "everyone",
            "weight": "100%",
            "duration": "3s",
            "auto_advance": False,
            "success_criteria": _CRITERIA,
        },
    ],
    "thresholds": {"failure_rate": {"warning": "2%", "critical": "10%"}},
    "health_grace": "2s",
    "bake": "3s",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running product and the real clients in it."""

    product: Product
    collectors: list[SupervisedCollector]
    agents: list[OpampGoAgent]

    @property
    def uids(self) -> set[str]:
        return {c.instance_uid for c in self.collectors} | {a.uid for a in self.agents}

    def rows(self) -> dict[str, dict[str, Any]]:
        """The API's word about every agent, by uid in 32 hex digits."""
        found = self.product.api("GET", "agents")["agents"]
        return {row["id"].replace("-", ""): row for row in found}

    def connected(self) -> bool:
        rows = self.rows()
        return self.uids <= set(rows) and sum(r["connected"] for r in rows.values()) == (
            SIMULATED + len(self.uids)
        )

    def roll_out(self, body: str) -> int:
        """Upload a version and start its rollout to everyone; return the rollout's id."""
        version = self.product.upload(body.encode())
        return self.product.start_rollout(version["version"], PLAN)

    def wait_rollout(self, rollout_id: int, until: str) -> dict[str, Any]:
        """Wait until a rollout is finished or awaits approval, and return it."""

        def there() -> dict[str, Any] | None:
            rollout: dict[str, Any] = self.product.api("GET", f"rollouts/{rollout_id}")
            if rollout["state"] in FINAL:
                return rollout
            waiting = any(p["state"] == "awaiting_approval" for p in rollout["phases"])
            return rollout if until == "awaiting_approval" and waiting else None

        return wait_for(there, 120, lambda: self.product.explain(rollout_id), every_s=0.3)


@pytest.fixture(scope="module")
def fleet(
    built: Binaries, lasting: Clients, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    with running(tmp_path_factory.mktemp("up") / "data", agents=SIMULATED) as product:
        url = f"127.0.0.1:{product.opamp_port}/v1/opamp"
        labels = {"fleet": "real"}
        collectors = [
            lasting.supervised(f"ws://{url}", labels=labels, validate_config=number > 0)
            for number in range(4)
        ]
        agents = [
            lasting.opampgo(f"ws://{url}", labels=labels),
            lasting.opampgo(f"http://{url}", labels=labels, poll="1s"),
        ]
        found = Fleet(product, collectors, agents)
        eventually(found.connected, "everyone connected", timeout_s=60, seen=product.log)
        yield found


@pytest.fixture(scope="module")
def good(fleet: Fleet) -> dict[str, Any]:
    """The good rollout, ended: its second phase was approved by a person."""
    rollout_id = fleet.roll_out(GOOD)
    fleet.wait_rollout(rollout_id, "awaiting_approval")
    word = {"phase": "everyone", "reason": "looks well"}
    fleet.product.act("approver", f"rollouts/{rollout_id}/approve", json=word)
    return fleet.wait_rollout(rollout_id, "finished")


@pytest.fixture(scope="module")
def bad(fleet: Fleet, good: dict[str, Any]) -> dict[str, Any]:
    """The rollout of a value that only a collector refuses, ended."""
    return fleet.wait_rollout(fleet.roll_out(BAD), "finished")


def test_the_good_rollout_ends_with_everyone_on_it(fleet: Fleet, good: dict[str, Any]) -> None:
    assert good["state"] == "succeeded", fleet.product.explain(good["id"])
    assert {fleet.rows()[uid]["config_hash"] for uid in fleet.uids} == {hash_of(GOOD)}
    assert good["counts"]["on_new"] == SIMULATED + len(fleet.uids)


def test_after_it_each_collector_really_runs_the_good_version(
    fleet: Fleet, good: dict[str, Any]
) -> None:
    for collector in fleet.collectors:
        collector.wait_runs("good")
        assert "/good" in collector.effective_text()
    for agent in fleet.agents:
        assert agent.said("remote_config")[-1]["body"] == GOOD


def test_the_bad_rollout_comes_back_by_itself(fleet: Fleet, bad: dict[str, Any]) -> None:
    assert bad["state"] == "rolled_back", fleet.product.explain(bad["id"])
    assert bad["phases"][0]["state"] in ("failed", "rolled_back")
    rows = fleet.rows()
    assert {rows[uid]["config_hash"] for uid in fleet.uids} == {hash_of(GOOD)}
    assert {rows[uid]["desired_config_hash"] for uid in fleet.uids} == {hash_of(GOOD)}


def test_after_it_each_collector_really_runs_the_good_version_again(
    fleet: Fleet, bad: dict[str, Any]
) -> None:
    for collector in fleet.collectors:
        collector.wait_runs("good")
        assert not collector.runs("bad")
        assert "/good" in collector.effective_text()
    for agent in fleet.agents:
        assert agent.said("remote_config")[-1]["body"] == GOOD


def test_the_timeline_tells_the_collectors_own_words(fleet: Fleet, bad: dict[str, Any]) -> None:
    """Somebody in the first phase refused it, and the page of that agent says why."""
    errors = [
        delivery["error"]
        for uid in fleet.uids
        for delivery in fleet.product.api("GET", f"agents/{uid}/deliveries")["deliveries"]
        if delivery["config_hash"] == hash_of(BAD) and delivery["state"] == "failed"
    ]

    assert errors
    assert all("loud" in error or "exit code 1" in error for error in errors)


def test_nobody_outside_the_first_phase_was_offered_the_bad_version(
    fleet: Fleet, bad: dict[str, Any]
) -> None:
    offered = {
        uid
        for uid in fleet.rows()
        for delivery in fleet.product.api("GET", f"agents/{uid}/deliveries")["deliveries"]
        if delivery["config_hash"] == hash_of(BAD)
    }

    assert offered < fleet.uids
    assert len(offered) == bad["phases"][0]["members"] == len(fleet.uids) // 2
