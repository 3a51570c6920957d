"""Offer an agent once more what it should run and refused, or never answered (OP-28)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.actions.set_desired import set_desired, take_push_lock
from agents.models import Agent, AgentStatus, ConfigStatus, Delivery, Desired, Quarantine
from agents.models.querysets import ACCEPTS_REMOTE_CONFIG
from console.lib import hints
from console.lib.problems import Missing, Refused
from console.lib.texts import Text, text

# What an agent brought upon itself. What people or a rollback keep from it is not theirs to retry.
OWN = (
    Quarantine.Outcome.FAILED,
    Quarantine.Outcome.TIMED_OUT,
    Quarantine.Outcome.FELL_BACK,
)


def why_not_retry(agent: Agent) -> Text | None:
    """Return what forbids to offer its config again; None when nothing does. `agent` was read with
    its status and what is desired of it."""
    desired = getattr(agent, "desired", None)
    if desired is None:
        return text("retry_config.nothing_assigned")
    if not agent.has_capability(ACCEPTS_REMOTE_CONFIG):
        return text("retry_config.cannot_accept")
    status = getattr(agent, "status", None) or AgentStatus(agent=agent)
    is_refused = status.config_status == ConfigStatus.FAILED
    if status.running_hash == desired.config_hash and not is_refused:
        return text("retry_config.runs_it")
    if is_kept(desired.config_hash, agent.pk):
        return text("retry_config.kept")
    return None


def retry_config(*, agent_id: int, by: Actor, reason: str = "", now: datetime | None = None) -> str:
    """Offer what is desired of an agent again, and forget that it refused that. Returns the hash.

    Raises Denied, Missing, and Refused where there is nothing to retry (`why_not_retry`). Takes the push
    lock before it reads what is desired, so that it never offers what somebody has just replaced.
    """
    require(by, "agents.retry_config")
    now = now or timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            take_push_lock(cursor)
        found = Agent.objects.living().select_related("status", "desired").filter(pk=agent_id)
        agent = found.first()
        if agent is None:
            raise Missing("agent.missing")
        if problem := why_not_retry(agent):
            raise Refused(problem)
        wanted = agent.desired
        own = Quarantine.objects.filter(
            agent=agent, config_hash=wanted.config_hash, lifted_at=None, outcome__in=OWN
        )
        lifted = own.update(
            lifted_at=now, lifted_by=by.name, lift_reason=text("retry_config.lifts")
        )
        set_desired(
            wants={agent.pk: wanted.config_hash}, cause=_cause(wanted), topic=wanted.topic, now=now
        )
        transaction.on_commit(
            lambda: hints.mark_dirty(f"agent:{agent_id}", "agents", "quarantines")
        )
        audit.record(
            actor=by,
            act="agents.retry_config",
            object_kind="agent",
            object_id=agent.pk,
            object_name=str(agent),
            reason=reason,
            details={"config_hash": wanted.config_hash, "lifted": lifted},
            at=now,
        )
    return str(wanted.config_hash)


def is_kept(config_hash: str, agent_id: int) -> bool:
    """Whether people or a rollback keep the hash from the agent, beside what it refused itself."""
    live = Quarantine.objects.filter(config_hash=config_hash, lifted_at=None)
    elses = live.filter(agent=None) | live.filter(agent=agent_id).exclude(outcome__in=OWN)
    return elses.exists()


def _cause(wanted: Desired) -> str:
    """Return what the offer counts for: what is at work on the agent, else what offered it last."""
    if wanted.topic:
        return wanted.topic
    of_this = Delivery.objects.filter(agent_id=wanted.agent_id, config_hash=wanted.config_hash)
    return of_this.order_by("-pk").values_list("cause", flat=True).first() or "retry"
