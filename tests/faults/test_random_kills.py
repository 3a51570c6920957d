"""Kill -9 worker, beat, gateway and Redis at random moments of a rollout and of its way back: both end
as they end without faults, and no step is taken twice.

Seeded, so that a failure can be run again. The size comes from the environment; the full proof is

    FAULT_AGENTS=2000 FAULT_KILLS=50 FAULT_GAP_S=8 \\
        python -m pytest -m slow tests/faults/test_random_kills.py

The longer gap because `up` waits ever longer (to 30 s) before it starts again what dies often; with a
short one everything is down most of the time.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.product import FINAL_STATES, ROOT, Product, running, wait_for

pytestmark = pytest.mark.slow

AGENTS = int(os.environ.get("FAULT_AGENTS", "100"))
KILLS = int(os.environ.get("FAULT_KILLS", "6"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
GAP_S = (0.2, float(os.environ.get("FAULT_GAP_S", "2")))
GAP_BACK_S = (0.05, 0.4)
KILLED = ("worker", "rollbacks", "beat", "gateway", "redis")
GOOD = (ROOT / "console" / "demo" / "examples" / "edge-v2.yaml").read_bytes()
PHASES = 2
_CRITERIA = [{"metric": "failure_rate", "operator": "<", "threshold": 0.05}]


def plan(watch_s: float) -> dict[str, Any]:
    """Return two phases, each observed for some seconds."""
    return {
        "phases": [
            {
                "name": name,
                "weight": weight,
                "duration": f"{watch_s:.0f}s",
                "success_criteria": _CRITERIA,
            }
            for name, weight in (("few", "10%"), ("all", "100%"))
        ],
        "thresholds": {"failure_rate": {"warning": "2%", "critical": "10%"}},
        "min_samples": 1,
        "health_grace": "1s",
        "bake": "2s",
    }


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("up") / "data", agents=AGENTS) as product:
        product.wait_connected()
        yield product


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout stands at its end: what must not depend on who died meanwhile."""

    state: str
    phases: tuple[tuple[str, str, int], ...]
    steps: Counter[tuple[str, str, str]]
    on_new: int
    times_applied: Counter[int]


def outcome(product: Product, rollout_id: int, config_hash: str) -> Outcome:
    shown = product.rollout(rollout_id)
    fleet = list(product.fleet().values())
    return Outcome(
        state=shown["state"],
        phases=tuple((p["name"], p["state"], p["members"]) for p in shown["phases"]),
        steps=steps(product, rollout_id),
        on_new=sum(agent["running"] == config_hash for agent in fleet),
        times_applied=Counter(agent["history"].count(config_hash) for agent in fleet),
    )


def steps(product: Product, rollout_id: int) -> Counter[tuple[str, str, str]]:
    """Count each change of state in the timeline."""
    events = product.api("GET", f"rollouts/{rollout_id}/events?limit=1000")["events"]
    moves = [e for e in events if e.get("to") and e.get("from") != e.get("to")]
    return Counter((str(e.get("phase") or e["act"]), str(e["from"]), str(e["to"])) for e in moves)


class Killer:
    """Kills one process at random, again and again, while something is still going on."""

    def __init__(self, product: Product, seed: int, gap_s: tuple[float, float]) -> None:
        self._product = product
        self._dice, self._gap_s = random.Random(seed), gap_s

    def kill_while(self, goes_on: Callable[[], bool], kills: int) -> int:
        """Kill until that many died or it is over; return how many died before it was over."""
        died = 0
        while died < kills:
            time.sleep(self._dice.uniform(*self._gap_s))
            if not goes_on():
                break
            died += self._kill_one()
        return died

    def _kill_one(self) -> int:
        """Kill one of those that live now; the others are on their way up."""
        alive = [name for name in KILLED if name in self._product.pids()]
        if not alive:
            return 0
        name = self._dice.choice(alive)
        try:
            self._product.kill(name)
        except (KeyError, ProcessLookupError):
            return 0
        return 1


def is_going_on(product: Product, rollout_id: int) -> bool:
    return product.rollout(rollout_id)["state"] not in FINAL_STATES


def wait_for_all_on(product: Product, config_hash: str) -> None:
    """Wait until the whole fleet runs it: agents that were cut off are caught up afterwards."""

    def everyone() -> bool | None:
        return {a["running"] for a in product.fleet().values()} == {config_hash} or None

    wait_for(everyone, 120, lambda: Counter(a["running"] for a in product.fleet().values()))


def there(product: Product, version: dict[str, Any], watch_s: float, killer: Killer | None) -> int:
    """Roll a version out to everyone while processes die; return the rollout's id at its end."""
    rollout_id = product.start_rollout(version["version"], plan(watch_s))
    if killer is not None:
        died = killer.kill_while(lambda: is_going_on(product, rollout_id), KILLS)
        assert died == KILLS, f"over after {died} kills; observe for longer"
    product.wait_finished(rollout_id, 300)
    wait_for_all_on(product, version["config_hash"])
    return rollout_id


def and_back(product: Product, rollout_id: int, before: str, killer: Killer | None) -> None:
    """Bring everyone back by hand while processes die."""
    product.api("POST", f"rollouts/{rollout_id}/rollback", json={"reason": "drill"})
    if killer is not None:
        died = killer.kill_while(lambda: is_going_on(product, rollout_id), max(1, KILLS // 5))
        assert died > 0, "back before anything died"
    product.wait_finished(rollout_id, 300)
    wait_for_all_on(product, before)


def run(product: Product, words: str, watch_s: float, seed: int | None) -> tuple[Outcome, Outcome]:
    """Roll out and back; return how it stood at both ends. Processes die when there is a seed."""
    (before,) = {agent["running"] for agent in product.fleet().values()}
    version = product.upload(GOOD + f"# {words}\n".encode())
    forth = Killer(product, seed, GAP_S) if seed is not None else None
    back = Killer(product, seed + 1, GAP_BACK_S) if seed is not None else None
    rollout_id = there(product, version, watch_s, forth)
    good = outcome(product, rollout_id, version["config_hash"])
    and_back(product, rollout_id, before, back)
    return good, outcome(product, rollout_id, version["config_hash"])


def test_a_rollout_and_its_way_back_end_as_without_faults_whoever_dies(product: Product) -> None:
    calm_good, calm_back = run(product, "calm", 1, None)
    # Observed for so long that every kill falls into the rollout.
    watch_s = KILLS * sum(GAP_S) / 2 / PHASES + 1

    good, back = run(product, "faults", watch_s, SEED)

    assert (calm_good.state, calm_back.state) == ("succeeded", "rolled_back")
    assert (calm_good.on_new, calm_back.on_new) == (AGENTS, 0)
    assert calm_good.times_applied == {1: AGENTS}
    assert set(calm_back.steps.values()) == {1}
    assert good == calm_good
    assert back == calm_back
