"""Kill -9 each process during a running rollout: `up` starts it again and the rollout goes on, no
agent ends on a wrong version, and nothing happens twice.

One product for all of it, one rollout for each process, each of a new version of the same config.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.product import ROOT, Product, running, wait_for

pytestmark = pytest.mark.slow

AGENTS = 60
EXAMPLES = ROOT / "console" / "demo" / "examples"
GOOD = (EXAMPLES / "edge-v2.yaml").read_bytes()
BAD = (EXAMPLES / "edge-v3-bad.yaml").read_bytes()
_CRITERIA = [{"metric": "failure_rate", "operator": "<", "threshold": 0.05}]
PLAN = {
    "phases": [
        {"name": "few", "weight": "10%", "duration": "3s", "success_criteria": _CRITERIA},
        {"name": "some", "weight": "50%", "duration": "3s", "success_criteria": _CRITERIA},
        {"name": "all", "weight": "100%", "duration": "3s", "success_criteria": _CRITERIA},
    ],
    "thresholds": {"failure_rate": {"warning": "2%", "critical": "10%"}},
    "min_samples": 2,
    "health_grace": "1s",
    "bake": "2s",
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("up") / "data dir", agents=AGENTS) as product:
        product.wait_connected()
        yield product


def wait_for_second_phase(product: Product, rollout_id: int) -> None:
    def reached() -> bool | None:
        states = [phase["state"] for phase in product.rollout(rollout_id)["phases"]]
        return states[1] in ("deploying", "observing") or None

    wait_for(reached, 60, lambda: product.explain(rollout_id))


def transitions(product: Product, rollout_id: int) -> Counter[tuple[str, str, str]]:
    """Count each change of state that the timeline tells: (what, from, to)."""
    events = product.api("GET", f"rollouts/{rollout_id}/events?limit=1000")["events"]
    moves = [e for e in events if e.get("to") and e.get("from") != e.get("to")]
    return Counter((str(e.get("phase", e["act"])), str(e["from"]), str(e["to"])) for e in moves)


@pytest.mark.parametrize("name", ["gateway", "worker", "rollbacks", "beat", "console", "redis"])
def test_a_rollout_survives_the_death_of(product: Product, name: str) -> None:
    version = product.upload(GOOD + f"# drill: {name}\n".encode())
    rollout_id = product.start_rollout(version["version"], PLAN)
    wait_for_second_phase(product, rollout_id)
    dead = product.kill(name)

    done = product.wait_finished(rollout_id)

    assert done["state"] == "succeeded", done
    assert product.pids()[name] != dead
    wait_for(lambda: runs(product) == {version["config_hash"]} or None, 30, product.fleet)
    applied = [a["history"].count(version["config_hash"]) for a in product.fleet().values()]
    assert applied == [1] * AGENTS
    moves = transitions(product, rollout_id)
    # Three phases begin, are watched and pass; the rollout starts, bakes and succeeds.
    assert len(moves) >= 12
    assert {move: times for move, times in moves.items() if times > 1} == {}


def runs(product: Product) -> set[str]:
    """Return the hashes that agents run; more than one while a change is on its way."""
    return {agent["running"] for agent in product.fleet().values()}


def test_a_bad_version_comes_back_although_its_worker_is_killed(product: Product) -> None:
    before = runs(product)
    version = product.upload(BAD + b"# drill\n")
    rollout_id = product.start_rollout(version["version"], PLAN)
    product.kill("rollbacks")

    done = product.wait_finished(rollout_id)

    assert done["state"] == "rolled_back", done
    # The fleet writes down what it runs a moment after it has said so.
    wait_for(lambda: runs(product) == before or None, 30, product.fleet)
    ever = {config_hash for agent in product.fleet().values() for config_hash in agent["history"]}
    assert version["config_hash"] not in ever
