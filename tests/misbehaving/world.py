"""Simulated agents that misbehave, a gateway on real sockets, and the loops of the workers.

Nothing is played: the agents are those of `manage.py simulate`, in a thread of their own, and what
they really ran stands in their memory. Time is real; a plan's times are short.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from django.db import transaction
from django.utils import timezone

from agents.actions.set_desired import set_desired
from agents.gateway.options import Intervals
from agents.models import Agent, AgentStatus, Quarantine
from agents.simulator.connection import Server
from agents.simulator.faults import Behaviour, Fault
from agents.simulator.fleet import Fleet, FleetOptions
from agents.tasks import reconcile
from rollouts.actions.draft import draft_rollout
from rollouts.actions.start import start
from rollouts.analysis.measure import take_measurements
from rollouts.loop.tick import rollback_tick_all, tick_all, welcome_all
from rollouts.models import Rollback, Rollout, Target
from tests.agents.gateway.running import QUICK, RunningGateway
from tests.make.configs import make_version
from tests.make.people import make_actor

EXAMPLES = Path(__file__).resolve().parents[2] / "console" / "demo" / "examples"
ONE = (EXAMPLES / "edge-v1.yaml").read_bytes()
# The faults are met by this version only.
MARK = b"# met with faults\n"
TWO = (EXAMPLES / "edge-v2.yaml").read_bytes() + MARK
FINAL = {"succeeded", "rolled_back", "rollback_incomplete", "aborted", "superseded"}
WATCHFUL: Intervals = replace(QUICK, ping_s=0.3, silence_s=1.5, http_poll_s=0.5)
PATIENCE_S = 60.0
STEP_S = 0.05

# Weights and durations only: what every plan has must be enough.
PLAN: dict[str, Any] = {
    "name": "canary",
    "phases": [
        {"name": "canary", "weight": "20%", "duration": "3s"},
        {"name": "all", "weight": "100%", "duration": "2s"},
    ],
    "bake": "1s",
    "apply_timeout": "4s",
    "health_grace": "1s",
    "lost_after": "1s",
}


class Running:
    """A simulated fleet in a thread of its own. `agents` may be read at any time."""

    def __init__(self, options: FleetOptions) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.fleet: Fleet

    def start(self) -> Running:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())

    async def _live(self) -> None:
        async with aiohttp.ClientSession() as session:
            self.fleet = Fleet(self._options, session)
            self._started.set()
            await self.fleet.run(self._stop)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()

    def ran(self, body_hash: str) -> int:
        """Return how many agents ever ran this config."""
        return sum(bytes.fromhex(body_hash) in a.memory.history for a in self._agents())

    def runs(self, body_hash: str) -> int:
        """Return how many agents run this config now."""
        return sum(bytes.fromhex(body_hash) == a.memory.running for a in self._agents())

    def _agents(self) -> list[Any]:
        return [connection.agent for connection in self.fleet.connections]


@dataclass
class World:
    """A config with two versions, a gateway, and fleets that ran the first one when they came."""

    gateway: RunningGateway
    http_share: float
    fleets: list[Running]

    def __post_init__(self) -> None:
        self.author, self.operator = make_actor("author"), make_actor("operator")
        self.one = make_version(text=ONE.decode(), author=self.author)
        self.two = make_version(text=TWO.decode(), author=self.author)

    def bring(
        self, agents: int, *faults: Fault, share: float = 1.0, seed: int = 1, after_s: float = 0.4
    ) -> Running:
        """Connect agents of which a share has each of the faults; wait until they are stored."""
        newest = Agent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        with tempfile.NamedTemporaryFile(suffix=".yaml") as first:
            first.write(ONE)
            first.flush()
            options = FleetOptions(
                agents=agents,
                server=Server(self.gateway.ws_url, heartbeat_s=0.5, poll_s=0.15),
                behaviour=Behaviour(
                    seed=seed,
                    apply_delay_s=(0.05, 0.1),
                    shares=dict.fromkeys(faults, share),
                    after_s=dict.fromkeys(faults, after_s),
                    faults_on=MARK.strip(),
                ),
                http_share=self.http_share,
                initial_config=Path(first.name),
            )
            running = Running(options).start()
        self.fleets.append(running)
        came = AgentStatus.objects.filter(agent_id__gt=newest).exclude(effective_hash="")
        wait_for(lambda: came.count() == agents, lambda: f"{came.count()} are here")
        return running

    def give_first(self) -> None:
        """Have every agent show that it runs the first version: who reports no status was never known
        to run it, and has nothing to come back to."""
        agents = list(Agent.objects.values_list("pk", flat=True))
        with transaction.atomic():
            set_desired(
                wants=dict.fromkeys(agents, self.one.config_hash),
                cause="test",
                topic="",
                now=timezone.now(),
            )
        on_it = AgentStatus.objects.filter(running_hash=self.one.config_hash)
        wait_for(lambda: on_it.count() == len(agents), lambda: f"{on_it.count()} run it")

    def roll_out(self, plan: Mapping[str, Any] = PLAN) -> Rollout:
        """Roll the second version out to everyone; return the rollout when it is over."""
        now = timezone.now()
        draft = draft_rollout(
            config="edge", version=2, plan=dict(plan), selector="*", by=self.operator, now=now
        )
        rollout = start(rollout_id=draft.pk, by=self.operator, now=now)
        wait_for(lambda: self.step(rollout) in FINAL, lambda: self.explain(rollout))
        rollout.refresh_from_db()
        return rollout

    def step(self, rollout: Rollout) -> str:
        """Let the workers do what the beat starts; return the rollout's state."""
        reconcile()
        for pk in Rollout.objects.active().values_list("pk", flat=True):
            take_measurements(pk, timezone.now())
        tick_all()
        rollback_tick_all()
        welcome_all()
        return str(Rollout.objects.values_list("state", flat=True).get(pk=rollout.pk))

    def live(self, rollout: Rollout, seconds: float) -> None:
        """Let time pass after the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step(rollout)
            time.sleep(STEP_S)

    def explain(self, rollout: Rollout) -> str:
        """Say what a person would look at."""
        rollout.refresh_from_db()
        targets = Target.objects.filter(rollout=rollout).order_by("position")
        lines = [f"{rollout.state}: {rollout.why}", str([p.counts for p in rollout.phases.all()])]
        lines += [f"{t.agent} {t.state} online={t.online} {str(t.error)[:80]}" for t in targets]
        lines += [str(one.counts) for one in Rollback.objects.filter(rollout=rollout)]
        return "\n".join(lines)

    def is_quarantined(self) -> bool:
        """Whether the second version is kept from the whole fleet."""
        return Quarantine.objects.filter(
            agent=None, config_hash=self.two.config_hash, lifted_at=None
        ).exists()


def wait_for(done: Callable[[], bool], explain: Callable[[], str]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g} s: {explain()}"
        time.sleep(STEP_S)


@contextmanager
def world(http_share: float) -> Iterator[World]:
    """Run a gateway for the length of a block; what was brought is stopped at its end."""
    gateway = RunningGateway(intervals=WATCHFUL).start()
    made = World(gateway, http_share, [])
    try:
        yield made
    finally:
        for fleet in made.fleets:
            fleet.stop()
        gateway.stop()
