"""Kill -9 each process during a running rollout: `up` starts it again and the rollout goes on, no
agent ends on a wrong version, and nothing happens twice.

One product for all of it, one rollout for each process, each of a new version of the same config.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import ROOT, Product, running, wait_for

pytestmark = pytest.mark.slow

AGENTS = 60
FINAL = {"succeeded", "rolled_back", "rollback_incomplete", "aborted", "superseded"}
GOOD = (ROOT / "console" / "demo" / "examples" / "edge-v2.yaml").read_bytes()
_CRITERIA = [{"metric": "failure_rate", "operator": "<", "threshold": 0.05}]
PLAN = {
    "phases": [
        {"name": "few", "weight": "10%", "duration": "4s", "success_criteria": _CRITERIA},
        {"name": "some", "weight": "50%", "duration": "4s", "success_criteria": _CRITERIA},
        {"name": "all", "weight": "100%", "duration": "4s", "success_criteria": _CRITERIA},
    ],
    "thresholds": {"failure_rate": {"warning": "2%", "critical": "10%"}},
    "health_grace": "1s",
    "bake": "2s",
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("up") / "data dir", agents=AGENTS) as product:
        wait_for(lambda: all_connected(product), 60, product.log)
        yield product


def all_connected(product: Product) -> bool | None:
    agents = product.api("GET", "agents")["agents"]
    return True if sum(agent["connected"] for agent in agents) == AGENTS else None


def upload(product: Product, body: bytes) -> dict[str, Any]:
    """Upload a version as the author does; the operator's token may not."""
    session = product.sign_in("author")
    token = next(value for name, value in session.cookies.items() if "csrf" in name)
    answer = session.post(
        f"{product.url}/api/v1/config?name=edge",
        data=body,
        headers={"X-CSRFToken": token, "Referer": product.url, "Content-Type": "text/yaml"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    version: dict[str, Any] = answer.json()
    return version


def start(product: Product, version: int) -> dict[str, Any]:
    rollout: dict[str, Any] = product.api(
        "POST",
        "rollouts",
        json={
            "config": "edge",
            "version": version,
            "plan": PLAN,
            "selector": "*",
            "start": True,
            "reason": "drill",
        },
    )
    return rollout


def phases(product: Product, rollout_id: int) -> list[str]:
    return [p["state"] for p in product.api("GET", f"rollouts/{rollout_id}")["phases"]]


def finished(product: Product, rollout_id: int) -> dict[str, Any] | None:
    rollout: dict[str, Any] = product.api("GET", f"rollouts/{rollout_id}")
    return rollout if rollout["state"] in FINAL else None


def transitions(product: Product, rollout_id: int) -> Counter[tuple[str, str, str]]:
    """Count each change of state that the timeline tells: (what, from, to)."""
    events = product.api("GET", f"rollouts/{rollout_id}/events?limit=1000")["events"]
    moves = [e for e in events if e.get("to") and e.get("from") != e.get("to")]
    return Counter((str(e.get("phase", e["act"])), str(e["from"]), str(e["to"])) for e in moves)


@pytest.mark.parametrize("name", ["gateway", "worker", "rollbacks", "beat", "console", "redis"])
def test_a_rollout_survives_the_death_of(product: Product, name: str) -> None:
    body = GOOD + f"# drill: {name}\n".encode()
    version = upload(product, body)
    assert version["config_hash"] == hashlib.sha256(body).hexdigest()
    rollout_id = start(product, version["version"])["id"]
    wait_for(
        lambda: True if phases(product, rollout_id)[1] in ("deploying", "observing") else None,
        60,
        lambda: (product.api("GET", f"rollouts/{rollout_id}"), product.log()),
    )
    dead = product.kill(name)

    done = wait_for(
        lambda: finished(product, rollout_id),
        120,
        lambda: (product.api("GET", f"rollouts/{rollout_id}"), product.log()),
        every_s=0.5,
    )

    assert done["state"] == "succeeded", done
    assert product.pids()[name] != dead
    wait_for(
        lambda: True if runs(product) == {version["config_hash"]} else None,
        30,
        lambda: product.fleet(),
    )
    applied = [a["history"].count(version["config_hash"]) for a in product.fleet().values()]
    assert applied == [1] * AGENTS
    twice = {move: n for move, n in transitions(product, rollout_id).items() if n > 1}
    assert not twice


def runs(product: Product) -> set[str]:
    """Return the hashes that agents run; more than one while a change is on its way."""
    return {agent["running"] for agent in product.fleet().values()}


def test_a_bad_version_comes_back_although_its_worker_is_killed(product: Product) -> None:
    before = runs(product)
    bad = Path(ROOT / "console" / "demo" / "examples" / "edge-v3-bad.yaml").read_bytes()
    version = upload(product, bad + b"# drill\n")
    rollout_id = start(product, version["version"])["id"]
    product.kill("rollbacks")

    done = wait_for(
        lambda: finished(product, rollout_id),
        120,
        lambda: (product.api("GET", f"rollouts/{rollout_id}"), product.log()),
        every_s=0.5,
    )

    assert done["state"] == "rolled_back", done
    assert runs(product) == before
    assert version["config_hash"] not in {
        config_hash for agent in product.fleet().values() for config_hash in agent["history"]
    }
