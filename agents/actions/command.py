"""Say something to agents once: restart, a custom message, a new uid, everything once more.

A command waits in the database until the agent's gateway takes it, at most ten minutes: what was
meant for now must not happen tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import Agent, Command
from agents.opamp.bits import ACCEPTS_RESTART_COMMAND
from agents.opamp.uids import as_text, new_uid
from console.lib import hints
from console.lib.problems import Invalid, Refused

LIFE = timedelta(minutes=10)
MAX_DATA_BYTES = 1024 * 1024


def restart(
    *, agent_ids: Iterable[int], by: Actor, reason: str, now: datetime | None = None
) -> list[int]:
    """Tell agents to restart (OP-54). Returns those told; raises Refused when none accepts it."""
    ids = sorted(agent_ids)
    require(by, "agents.restart")
    agents = list(Agent.objects.filter(pk__in=ids).order_by("pk"))
    able = [agent for agent in agents if agent.has_capability(ACCEPTS_RESTART_COMMAND)]
    if not able:
        raise Refused("command.no_restart")
    _queue(able, Command.Kind.RESTART, by, "agents.restart", reason, now)
    return [agent.pk for agent in able]


def send_custom_message(
    *,
    agent_ids: Iterable[int],
    capability: str,
    type: str,
    data: bytes,
    by: Actor,
    reason: str = "",
    now: datetime | None = None,
) -> list[int]:
    """Send a custom message to agents that announced the capability (OP-56).

    Returns those told. Raises Invalid above 1 MiB, Refused when none announced it.
    """
    require(by, "agents.settings")
    if len(data) > MAX_DATA_BYTES:
        raise Invalid("command.too_large")
    agents = Agent.objects.filter(
        pk__in=sorted(agent_ids), custom_capabilities__contains=[capability]
    ).order_by("pk")
    if not (able := list(agents)):
        raise Refused("command.no_capability", capability=capability)
    details = {"capability": capability, "type": type}
    kind = Command.Kind.CUSTOM_MESSAGE
    _queue(able, kind, by, "agents.custom_message", reason, now, details, data)
    return [agent.pk for agent in able]


def rename(*, agent_id: int, by: Actor, reason: str, now: datetime | None = None) -> str:
    """Order a new instance_uid for an agent; it is used from the agent's next message on (OP-07).

    Returns the new uid as text.
    """
    require(by, "agents.settings")
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise Refused("agent.missing")
    moment = now or timezone.now()
    uid = new_uid(int(moment.timestamp() * 1000))
    details = {"new_uid": uid.hex()}
    _queue([agent], Command.Kind.RENAME, by, "agents.rename", reason, now, details)
    return as_text(uid)


def ask_full_state(
    *, agent_ids: Iterable[int], by: Actor, reason: str = "", now: datetime | None = None
) -> None:
    """Ask agents to report everything once more."""
    require(by, "agents.settings")
    agents = list(Agent.objects.filter(pk__in=sorted(agent_ids)).order_by("pk"))
    _queue(agents, Command.Kind.FULL_STATE, by, "agents.full_state", reason, now)


def refuse_certificate(
    *, agent_id: int, text: str, by: Actor, reason: str = "", now: datetime | None = None
) -> None:
    """Tell an agent that it gets no certificate for what it asked, and why (OP-45)."""
    require(by, "agents.certificates")
    agents = list(Agent.objects.filter(pk=agent_id))
    kind = Command.Kind.NO_CERTIFICATE
    _queue(agents, kind, by, "agents.no_certificate", reason, now, {"text": text})


def make_key(*, agent_id: int, by: Actor, reason: str = "", now: datetime | None = None) -> None:
    """Have the agent's gateway make a key for it, and a certificate request like one of its own."""
    require(by, "agents.certificates")
    agents = list(Agent.objects.filter(pk=agent_id))
    _queue(agents, Command.Kind.MAKE_KEY, by, "agents.make_key", reason, now)


def _queue(
    agents: list[Agent],
    kind: str,
    by: Actor,
    act: str,
    reason: str,
    now: datetime | None,
    details: dict[str, str] | None = None,
    data: bytes = b"",
) -> None:
    at = now or timezone.now()
    with transaction.atomic():
        Command.objects.bulk_create(
            [
                Command(
                    agent=agent,
                    kind=kind,
                    details=details or {},
                    data=data,
                    by=by.name,
                    created_at=at,
                    expires_at=at + LIFE,
                )
                for agent in agents
            ],
            batch_size=500,
        )
        for agent in agents[:100]:
            audit.record(
                actor=by,
                act=act,
                object_kind="agent",
                object_id=agent.pk,
                object_name=str(agent),
                reason=reason,
                details={**(details or {}), "agents": len(agents)},
            )
        transaction.on_commit(lambda: hints.publish(hints.COMMAND))
