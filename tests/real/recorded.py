"""What Tidegate recorded of one agent, read fresh at each question, and acts upon it."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actor import SYSTEM
from agents.actions.command import ask_full_state, rename, restart
from agents.actions.offer_settings import offer_settings
from agents.actions.set_desired import SetDesired, set_desired
from agents.models import (
    Agent,
    AgentAlias,
    AgentBody,
    AgentEvent,
    AgentStatus,
    ConfigBody,
    ConfigStatus,
    Delivery,
    Session,
)
from tests.clients.supervised import SupervisedCollector
from tests.make.waiting import eventually


def hash_of(body: str) -> str:
    """The config hash of a body: SHA-256 of its bytes, lower-case hex."""
    return hashlib.sha256(body.encode()).hexdigest()


def recorded_of(client: SupervisedCollector) -> Recorded:
    """What is recorded of a supervisor; waits for the uid that it makes up at its first start."""
    uid = eventually(lambda: client.instance_uid, "the supervisor has a uid", seen=client.log_tail)
    return Recorded(uid).wait_connected()


class Recorded:
    """The rows of one agent, found by an instance uid that it has or had."""

    def __init__(self, uid: str) -> None:
        self.uid = uuid.UUID(uid)

    @property
    def agent(self) -> Agent:
        found = Agent.objects.filter(instance_uid=self.uid).first()
        if found is None:
            found = AgentAlias.objects.get(instance_uid=self.uid).agent
        return found

    @property
    def status(self) -> AgentStatus:
        return AgentStatus.objects.get(agent=self.agent)

    def exists(self) -> bool:
        """Tell whether a gateway has stored the agent and its connection."""
        return AgentStatus.objects.filter(agent__instance_uid=self.uid).exists()

    def is_connected(self) -> bool:
        return (
            self.exists()
            and Agent.objects.filter(pk=self.agent.pk).connected(timezone.now()).exists()
        )

    def body(self, part: str) -> Any:
        """A reported part ("health", "effective_config") as stored; None before it came."""
        return (
            AgentBody.objects.filter(agent=self.agent, part=part)
            .values_list("body", flat=True)
            .first()
        )

    def deliveries(self, body: str) -> list[Delivery]:
        """Deliveries of this body, oldest first."""
        found = Delivery.objects.filter(agent=self.agent, config_hash=hash_of(body))
        return list(found.order_by("pk"))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Details of the history's lines of a kind, oldest first."""
        found = AgentEvent.objects.filter(agent=self.agent, kind=kind).order_by("pk")
        return list(found.values_list("details", flat=True))

    def sessions(self) -> list[Session]:
        """Its connections, oldest first."""
        return list(Session.objects.filter(agent=self.agent).order_by("connected_at"))

    def wait_connected(self, timeout_s: float = 20.0) -> Recorded:
        return self._wait(self.is_connected, "connected", timeout_s)

    def wait_offline(self, timeout_s: float = 30.0) -> Recorded:
        return self._wait(lambda: not self.is_connected(), "offline", timeout_s)

    def wait_healthy(self, timeout_s: float = 20.0) -> Recorded:
        return self._wait(lambda: self.status.healthy is True, "healthy", timeout_s)

    def wait_unhealthy(self, timeout_s: float = 20.0) -> Recorded:
        return self._wait(lambda: self.status.healthy is False, "unhealthy", timeout_s)

    def wait_settled(self, body: str, timeout_s: float = 20.0) -> Delivery:
        """Wait until the newest delivery of a body has an outcome, and return it."""

        def settled() -> Delivery | None:
            found = self.deliveries(body)
            return found[-1] if found and found[-1].settled_at is not None else None

        found = eventually(settled, "a settled delivery", timeout_s=timeout_s, seen=self.summary)
        assert found is not None
        return found

    def wait_status(self, body: str, status: ConfigStatus, timeout_s: float = 20.0) -> AgentStatus:
        """Wait until the agent's word for a body is this, and return its status row."""

        def says_so() -> bool:
            one = self.status
            return (one.config_hash, one.config_status) == (hash_of(body), status)

        self._wait(says_so, f"{status.label} for {hash_of(body)[:8]}", timeout_s)
        return self.status

    def _wait(self, ask: Any, what: str, timeout_s: float) -> Recorded:
        eventually(ask, f"{self.uid} {what}", timeout_s=timeout_s, seen=self.summary)
        return self

    def summary(self) -> dict[str, Any]:
        """Everything small about the agent, for failure texts."""
        if not self.exists():
            return {"agent": "never seen"}
        status = AgentStatus.objects.filter(agent=self.agent).values().get()
        deliveries = Delivery.objects.filter(agent=self.agent).order_by("-pk").values()[:4]
        events = AgentEvent.objects.filter(agent=self.agent).order_by("-pk")[:8]
        return {
            "status": status,
            "deliveries": list(deliveries),
            "events": [(event.kind, event.details) for event in events],
        }

    def offer(self, body: str) -> SetDesired:
        """Push a config to this agent, as a rollout's wave does."""
        raw = body.encode()
        now = timezone.now()
        ConfigBody.objects.get_or_create(
            config_hash=hash_of(body),
            defaults={"body": raw, "size_bytes": len(raw), "created_at": now},
        )
        with transaction.atomic():
            wants = {self.agent.pk: hash_of(body)}
            return set_desired(wants=wants, cause="test", topic="", now=now)

    def restart(self) -> None:
        """Order a restart."""
        restart(agent_ids=[self.agent.pk], by=SYSTEM, reason="test")

    def rename(self) -> str:
        """Order a new uid; returns it, 32 hex digits."""
        return uuid.UUID(rename(agent_id=self.agent.pk, by=SYSTEM, reason="test")).hex

    def ask_full_state(self) -> None:
        """Ask for everything once more, and wait until that was said."""
        ask_full_state(agent_ids=[self.agent.pk], by=SYSTEM)
        waiting = self.agent.commands.filter(taken_at=None)
        eventually(lambda: not waiting.exists(), "the question is asked", seen=self.summary)

    def offer_settings(self, settings: dict[str, Any]) -> str:
        """Want these connection settings for this agent; returns their hash."""
        return offer_settings(agent_ids=[self.agent.pk], settings=settings, by=SYSTEM)
