"""A world that moves by itself while pages are open: the real engine, agents that answer, people
that act. Time is the real one, so that ages and countdowns mean something."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import SYSTEM
from agents.actions.quarantine import quarantine
from agents.models import Agent, AgentStatus, ConfigStatus, GatewayLease, Quarantine
from console.lib import hints
from rollouts.actions.approve import approve
from rollouts.actions.lift_quarantine import lift_one
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.actions.share import share
from rollouts.actions.start import start
from rollouts.drafts.membership_rows import freeze_anew
from rollouts.loop.begin import count_again
from rollouts.models import Approval, Rollback, Rollout
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.make.speech import connect
from tests.rollouts.fleet import Fleet, state_of

PLAN: dict[str, Any] = {
    "name": "short",
    "phases": [
        {"name": "canary", "weight": "20%", "duration": "4s"},
        {"name": "all", "weight": "100%", "duration": "4s", "auto_advance": False},
    ],
    "bake": "2s",
    "apply_timeout": "30s",
}


class MovingFleet(Fleet):
    """The same fleet by the real clock; whoever writes tells the live pages, as gateways do."""

    def __init__(self, agents: int = 20) -> None:
        super().__init__(agents)
        self.now = timezone.now()
        AgentStatus.objects.update(
            gateway=GatewayLease.objects.first()
        )  # connected to a living one
        self.refuses: set[str] = set()
        self.answer = self._answer
        self.beat()

    def _answer(self, agent: Agent, config_hash: str) -> ConfigStatus | None:
        if time.monotonic() % 1 < 0.3:
            return None  # not at once: pages see agents that apply
        return ConfigStatus.FAILED if config_hash in self.refuses else ConfigStatus.APPLIED

    def beat(self) -> None:
        """Let every connected agent be heard, as the sweep of a gateway writes it."""
        AgentStatus.objects.filter(connected=True).update(last_seen_at=timezone.now())

    def move(self, seconds: float) -> None:
        """Let the world go on for so long."""
        self.move_until(lambda: False, seconds, fails=False)

    def move_until(self, done: Callable[[], bool], seconds: float = 30, fails: bool = True) -> None:
        """Let the world go on until something is so."""
        until = time.monotonic() + seconds
        Rollout.objects.exclude(next_tick_at=None).update(next_tick_at=timezone.now())
        while not done():
            if time.monotonic() >= until:
                assert not fails, "it did not happen in time"
                break
            self.now = timezone.now()
            self.beat()
            self.speak()
            self.tick()
            active = Rollout.objects.active().values_list("pk", flat=True)
            hints.mark_dirty("fleet", "agents", *(f"rollout:{pk}" for pk in active))
            time.sleep(0.25)
        self.hold()

    def hold(self) -> None:
        """Let the world stand still, however long it is looked at: nobody is late meanwhile."""
        later = timezone.now() + timedelta(hours=1)
        Rollout.objects.exclude(next_tick_at=None).update(next_tick_at=later)
        AgentStatus.objects.filter(connected=True).update(last_seen_at=later)


class Story:
    """What happens, in acts; between two of them the world stands still and pages can be compared.

    A rollout passes its canary, is approved and completes; the next version is refused by all,
    comes back and is quarantined; agents leave; a person lifts what was quarantined.
    """

    def __init__(self) -> None:
        self.fleet = MovingFleet()
        by = self.fleet.author
        self.v3 = make_version(author=by)
        self.fleet.refuses = {self.v3.config_hash}
        self.good = self.fleet.start(PLAN, selector="env=prod")
        self.fleet.move_until(lambda: self.good_phase("all") == "awaiting_approval")
        asked = Approval.objects.get(phase__rollout=self.good, state="waiting")
        self.approval = asked.pk
        self.bad = self.fleet.draft(PLAN, selector="env=prod", version=3)
        self.kept_hash = make_version("kept", author=by).config_hash
        quarantine(
            config_hash=self.kept_hash,
            agent_ids=[self.fleet.agents[5].pk],
            outcome="failed",
            by=SYSTEM,
            reason="It was refused.",
        )
        self.rollback = self._go_back()
        _link, self.secret = share(rollout_id=self.good.pk, by=self.fleet.operator)
        self.began = time.monotonic()

    def _go_back(self) -> Rollback:
        """Three agents of another config go back to its first version, while pages are open."""
        versions = [make_version("side", author=self.fleet.author) for _ in range(2)]
        for _ in range(3):
            make_collector({"env": "lab"}, running_hash=versions[1].config_hash)
        AgentStatus.objects.update(gateway=GatewayLease.objects.first())
        return rollback_selector(
            selector="env=lab",
            to=1,
            config="side",
            reason="Only to have one to look at.",
            by=self.fleet.operator,
            now=timezone.now(),
        )

    def good_phase(self, name: str) -> str:
        return str(self.good.phases.values_list("state", flat=True).get(name=name))

    def acts(self) -> dict[str, Callable[[], None]]:
        return {
            "approved": self._approve,
            "completed": self._complete,
            "refused and rolled back": self._refuse,
            "agents left": self._leave,
            "a minute and a half passed": self._pass_time,
        }

    def _approve(self) -> None:
        approve(rollout_id=self.good.pk, phase="all", by=self.fleet.approver, now=timezone.now())
        self.fleet.move_until(lambda: self.good_phase("all") == "observing")

    def _complete(self) -> None:
        self.fleet.move_until(lambda: state_of(self.good) == "succeeded")

    def _refuse(self) -> None:
        now = (
            timezone.now()
        )  # drafted while the other one held all agents: counted again, as a review does
        freeze_anew(self.bad, count_again(self.bad, now), now)
        start(rollout_id=self.bad.pk, by=self.fleet.operator, now=now)
        self.fleet.move_until(lambda: state_of(self.bad) == "rolled_back")

    def _leave(self) -> None:
        now = timezone.now()
        for agent in self.fleet.agents[:3]:
            connect(agent, connected=False, at=now)
        held = Quarantine.objects.filter(agent=None, lifted_at=None).get()
        lift_one(
            quarantine_id=held.pk, by=self.fleet.approver, reason="Looked at it again.", now=now
        )
        hints.mark_dirty("fleet", "agents")
        self.fleet.move(2)

    def _pass_time(self) -> None:
        self.fleet.move(max(5.0, 90 - (time.monotonic() - self.began)))
