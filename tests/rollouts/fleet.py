"""A small fleet under a rollout: time passes, ticks come round, agents answer as told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from accounts.actor import Actor
from agents.models import Agent, AgentStatus, ConfigStatus, Delivery
from console.lib.texts import spoken
from rollouts.actions.draft import draft_rollout
from rollouts.actions.start import start
from rollouts.analysis.measure import take_measurements
from rollouts.loop.tick import tick_one
from rollouts.models import ConfigVersion, Phase, Rollback, Rollout
from rollouts.rollback import waves
from tests.make.agents import make_collector, make_lasting_gateway
from tests.make.configs import make_version
from tests.make.people import make_actor
from tests.make.speech import report
from tests.make.times import NOW

Answer = Callable[[Agent, str], ConfigStatus | None]

ALL_AT_ONCE: dict[str, Any] = {
    "name": "all",
    "phases": [{"name": "all", "weight": "100%", "duration": "10s"}],
    "bake": "5s",
    "apply_timeout": "30s",
}
CANARY_THEN_ALL: dict[str, Any] = {
    "name": "two",
    "phases": [
        {
            "name": "canary",
            "weight": "10%",
            "duration": "10s",
            "success_criteria": [{"metric": "failure_rate", "operator": "<", "threshold": "10%"}],
        },
        {
            "name": "all",
            "weight": "100%",
            "duration": "10s",
            "success_criteria": [{"metric": "failure_rate", "operator": "<", "threshold": "10%"}],
        },
    ],
    "bake": "10s",
}


def manual(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the plan with its last phase asking for approval."""
    *first, last = plan["phases"]
    return {**plan, "phases": [*first, {**last, "auto_advance": False}]}


class Fleet:
    """Agents on version 1 of a config, and the clock of the test."""

    def __init__(self, agents: int = 20, **labels: str) -> None:
        self.now = NOW
        self.author, self.operator = make_actor("author"), make_actor("operator")
        self.approver = make_actor("approver")
        self.v1: ConfigVersion = make_version(author=self.author)
        self.v2: ConfigVersion = make_version(author=self.author)
        self.agents = [
            make_collector({"env": "prod", **labels}, running_hash=self.v1.config_hash)
            for _ in range(agents)
        ]
        make_lasting_gateway()
        self.error = "refused"  # what those say that refuse
        self.answer: Answer = lambda agent, config_hash: ConfigStatus.APPLIED

    def draft(self, plan: dict[str, Any] | str = "", **more: Any) -> Rollout:
        given: dict[str, Any] = {
            "config": "edge",
            "version": 2,
            "plan": plan or CANARY_THEN_ALL,
            "selector": "*",
            "by": self.operator,
            "now": self.now,
            **more,
        }
        return draft_rollout(**given)

    def start(self, plan: dict[str, Any] | str = "", **more: Any) -> Rollout:
        rollout = self.draft(plan, **more)
        by: Actor = more.get("by", self.operator)
        return start(rollout_id=rollout.pk, by=by, now=self.now)

    def speak(self) -> None:
        """Let every connected agent answer what is offered to it."""
        for delivery in Delivery.objects.filter(state="open").select_related("agent__status"):
            if delivery.agent.status.connected:
                status = self.answer(delivery.agent, delivery.config_hash)
                if status is not None:
                    error = self.error if status == ConfigStatus.FAILED else ""
                    report(delivery.agent, delivery.config_hash, status, error=error, at=self.now)

    def tick(self) -> None:
        """Let every due rollout and rollback be looked at, as the beat does."""
        for pk in Rollout.objects.active().values_list("pk", flat=True):
            take_measurements(pk, self.now)
        for _ in range(30):
            if not tick_one(self.now):
                break
        for pk in Rollback.objects.values_list("pk", flat=True):
            waves.tick_one(pk, self.now)

    def run(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass: agents answer, ticks come round."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now += timedelta(seconds=step)
            self.speak()
            self.tick()

    def run_until(self, done: Callable[[], bool], seconds: float = 300) -> None:
        """Let time pass until something is so; fails when it never is."""
        until = self.now + timedelta(seconds=seconds)
        while not done():
            assert self.now < until, "it did not happen in time"
            self.run(1)

    def running(self) -> dict[str, int]:
        """Count agents by the hash they run."""
        found: dict[str, int] = {}
        for running in AgentStatus.objects.values_list("running_hash", flat=True):
            found[running] = found.get(running, 0) + 1
        return found


def state_of(rollout: Rollout) -> str:
    return Rollout.objects.values_list("state", flat=True).get(pk=rollout.pk)


def phases_of(rollout: Rollout) -> list[str]:
    rows = Phase.objects.filter(rollout=rollout).order_by("index")
    return list(rows.values_list("state", flat=True))


def why_of(rollout: Rollout) -> str:
    return str(spoken(Rollout.objects.get(pk=rollout.pk).why["say"]))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
