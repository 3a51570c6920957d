"""What the rollout engine costs at 1,000, 10,000 and 100,000 targets (spec section 12).

    python -m bench.engine [--agents 1000 10000 100000] [--json]

Real PostgreSQL, default settings, tables that have seen 20 rollouts of everybody, and no statistics
of this one but autovacuum's; agents answer in bulk SQL as a gateway's flush would write it.
Exits 1 when a figure is over its budget.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bench import store  # isort: skip  # noqa: F401 - starts the database Django is set up with
from django.db import connection, transaction
from django.utils import timezone

from accounts.actor import SYSTEM
from agents.models import Agent, AgentStatus, ConfigStatus
from bench.machine import machine
from bench.selectors import fill
from rollouts.actions.draft import draft_rollout
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.start import start
from rollouts.drafts.preview import preview
from rollouts.loop.look import look
from rollouts.models import ConfigVersion, Phase, Rollout, Target
from rollouts.rollback import waves
from tests.make.configs import RUNNABLE, make_version

PAST = 20
BUDGETS_S = {
    "preview": 0.3,
    "preview, spread": 0.3,
    "draft (membership frozen)": 5.0,
    "start": 5.0,
    "tick, 1,000 changed": 1.0,
    "tick, nothing changed": 0.02,
    "rollback, last row written": 10.0,
}
PLAN = {
    "name": "bench",
    "phases": [
        {"name": "canary", "weight": "1%", "duration": "1h"},
        {"name": "all", "weight": "100%", "duration": "1h"},
    ],
    "max_in_flight": 1_000_000,
}

_ANSWER = """
    WITH answered AS (
        UPDATE agents_delivery SET state = 'applied', sent_at = %(now)s,
            acknowledged_at = %(now)s, settled_at = %(now)s
        WHERE id IN (SELECT id FROM agents_delivery WHERE state = 'open' LIMIT %(limit)s)
        RETURNING agent_id, config_hash
    ), said AS (
        UPDATE agents_agentstatus s SET config_hash = a.config_hash, config_status = 1,
            running_hash = a.config_hash, config_at = %(now)s
        FROM answered a WHERE s.agent_id = a.agent_id RETURNING s.agent_id
    )
    INSERT INTO agents_news (topic, agent_id)
    SELECT d.topic, d.agent_id FROM agents_desired d JOIN said ON said.agent_id = d.agent_id
"""


_PAST = """
    WITH target AS (
        INSERT INTO rollouts_target (rollout_id, phase_id, agent_id, position, state, active,
            previous_hash, offered_at, confirmed_at, online, healthy, was_unhealthy, error)
        SELECT %(rollout)s, %(phase)s, id, row_number() OVER (), 'applied', false, '',
            %(at)s, %(at)s, true, true, false, ''
        FROM agents_agent
    )
    INSERT INTO agents_delivery (agent_id, config_hash, cause, state, offered_at, sent_at,
        acknowledged_at, settled_at, error)
    SELECT id, %(hash)s, %(cause)s, 'applied', %(at)s, %(at)s, %(at)s, %(at)s, ''
    FROM agents_agent
"""


class Clock:
    """Time as the engine is told it: every look a second later."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now()

    def step(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result


def best(act: Callable[[], Any], runs: int = 5) -> float:
    """Return the median of some runs, after one to warm up."""
    act()
    return statistics.median(timed(act)[0] for _ in range(runs))


def answer(clock: Clock, limit: int) -> None:
    """Let agents answer. The bench's own statement must not hang on old statistics either."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_nestloop = off")
        cursor.execute(_ANSWER, {"now": clock.now, "limit": limit})
        cursor.execute("RESET enable_nestloop")


def tick(rollout_id: int, clock: Clock) -> None:
    with transaction.atomic():
        rollout = Rollout.objects.claim(rollout_id)
        assert rollout is not None
        look(rollout, clock.step())


def prepare(agents: int, clock: Clock) -> None:
    """Fill an empty database with connected agents that run version 1."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE agents_agent, agents_componentset, rollouts_config CASCADE")
    fill(agents)
    Agent.objects.update(capabilities=7175)
    first = make_version(text=f"# 1\n{RUNNABLE}")
    make_version(text=f"# 2\n{RUNNABLE}")
    running = first.config_hash
    AgentStatus.objects.bulk_create(
        (
            AgentStatus(
                agent_id=pk,
                connected=True,
                connected_at=clock.now,
                last_seen_at=clock.now,
                healthy=True,
                config_hash=running,
                config_status=ConfigStatus.APPLIED,
                running_hash=running,
            )
            for pk in Agent.objects.values_list("pk", flat=True)
        ),
        batch_size=5000,
    )
    _live_through(first, clock)


def _live_through(version: ConfigVersion, clock: Clock) -> None:
    """Give the fleet a past: rollouts of everybody, of which PostgreSQL has statistics. From here on
    it has what autovacuum gives it, as in a product."""
    for number in range(PAST):
        at = clock.now - timedelta(days=PAST - number)
        past = Rollout.objects.create(
            config=version.config,
            version=version,
            title="past",
            selector="env=nobody",
            plan_name="bench",
            plan={"promote_rest": False},
            seed=str(number),
            preview_at=at,
            state="succeeded",
            created_at=at,
            started_at=at,
            finished_at=at,
        )
        phase = Phase.objects.create(
            rollout=past, index=0, name="all", weight=1.0, spec={}, state="passed"
        )
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "rollout": past.pk,
                "phase": phase.pk,
                "cause": past.topic,
                "at": at,
            }
            cursor.execute(_PAST, {**values, "hash": version.config_hash})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(agents: int) -> dict[str, float]:
    """Take every figure for one size of fleet; seconds."""
    clock, found = Clock(), {}
    prepare(agents, clock)
    asked: dict[str, Any] = {"config": "edge", "version": 2, "plan": PLAN, "selector": "*"}

    def count(label: str) -> float:
        return best(lambda: preview(seed="s", now=clock.now, spread_label=label, **asked))

    found["preview"] = count("")
    found["preview, spread"] = count("region")
    found["draft (membership frozen)"], rollout = timed(
        lambda: draft_rollout(by=SYSTEM, now=clock.now, **asked)
    )
    found["start"], _ = timed(lambda: start(rollout_id=rollout.pk, by=SYSTEM, now=clock.now))
    answer(clock, agents)
    tick(rollout.pk, clock)
    rollout.phases.filter(index=0).update(observed_s=3600)
    found["ticks that offer to all"] = offering_ticks(rollout.pk, clock)
    answer(clock, 1000)
    found["tick, 1,000 changed"], _ = timed(lambda: tick(rollout.pk, clock))
    answer(clock, agents)
    found["tick, all changed"], _ = timed(lambda: tick(rollout.pk, clock))
    found["tick, nothing changed"] = best(lambda: tick(rollout.pk, clock), 20)
    found["rollback, last row written"], _ = timed(lambda: roll_back(rollout, clock))
    return found


def offering_ticks(rollout_id: int, clock: Clock) -> float:
    """Tick until a phase is offered whole, slice by slice, whatever is decided before; return what
    the ticks that offered took."""
    took, waiting = 0.0, Target.objects.filter(rollout_id=rollout_id, state="waiting")
    left = waiting.count()
    for _ in range(100):
        once, _ = timed(lambda: tick(rollout_id, clock))
        before, left = left, waiting.count()
        took += once if left < before else 0.0
        if not left:
            return took
    raise SystemExit("not all were offered it")


def roll_back(rollout: Rollout, clock: Clock) -> None:
    """Decide a rollback and send every wave of it."""
    rollback = rollback_rollout(rollout_id=rollout.pk, by=SYSTEM, reason="bench", now=clock.now)
    targets = rollback.targets.filter(state="waiting")
    while targets.exists():
        waves.tick_one(rollback.pk, clock.step())


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--agents", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    before = machine()
    results = {agents: measure(agents) for agents in options.agents}
    largest = results[max(results)]
    over = [name for name, budget_s in BUDGETS_S.items() if largest[name] > budget_s]
    if options.json:
        rows = [
            {"what": name, "agents": agents, "seconds": took, "budget_s": BUDGETS_S.get(name)}
            for agents, found in results.items()
            for name, took in found.items()
        ]
        print(json.dumps({"machine": before, "rows": rows, "over": over}, indent=2))
        return 1 if over else 0
    print(f"{before}\n")
    print(f"{'milliseconds':32}" + "".join(f"{n:>12,}" for n in results) + f"{'budget':>12}")
    for name in largest:
        row = "".join(f"{result[name] * 1000:12,.1f}" for result in results.values())
        budget_s = BUDGETS_S.get(name)
        print(f"{name:32}{row}" + (f"{budget_s * 1000:12,.0f}" if budget_s else ""))
    print(f"\nover budget: {', '.join(over) or 'none'}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
