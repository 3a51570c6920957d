"""Let an agent go on as the one it replaces: operators' labels, quarantines by hand, history."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.actions.label import MAX_LABELS
from agents.actions.retire import retire_now
from agents.models import Agent, AgentEvent, AgentStatus, Quarantine
from agents.opamp.attributes import labels_of
from agents.selectors.versions import version_keys
from console.lib import hints
from console.lib.problems import Missing, Refused
from console.lib.texts import Text, text


def take_over(
    *, agent_id: int, by: Actor, reason: Text | str, now: datetime | None = None
) -> Agent:
    """Give the agent what operators gave to the one it replaces, and its history to read.

    A label that the successor has from operators already stays as it is. No row of the old one
    moves: it is retired with its history (`agents.succession.lineage` joins both). Raises Denied,
    Missing, and Refused when it replaces nobody, has taken over before, or the old one is back.
    Locks both agents by primary key.
    """
    require(by, "agents.retire")
    now = now or timezone.now()
    with transaction.atomic():
        new, old = _pair(agent_id)
        if old.status.connected:
            raise Refused("successor.both_connected", name=old, code="connected")
        before = dict(new.operator_labels)
        labels = {**old.operator_labels, **before}
        if len(labels) > MAX_LABELS:
            raise Refused("successor.too_many_labels", most=MAX_LABELS)
        new.operator_labels = labels
        new.labels = {**labels_of(new.identifying, new.non_identifying), **labels}
        new.version_keys = version_keys(new.labels)
        new.took_over_at = now
        new.save(update_fields=["operator_labels", "labels", "version_keys", "took_over_at"])
        _quarantines(old, new)
        AgentEvent.objects.create(
            agent=new, at=now, kind="took_over", details={"uid": str(old.instance_uid)}
        )
        retire_now(
            [old.pk],
            by=by.name,
            why=text("successor.replaced_by", uid=str(new.instance_uid)),
            now=now,
        )
        audit.record(
            actor=by,
            act="agents.take_over",
            object_kind="agent",
            object_id=new.pk,
            object_name=str(new),
            reason=reason,
            details={"replaces": str(old.instance_uid), "before": before, "after": labels},
        )
        transaction.on_commit(lambda: hints.mark_dirty("agents", "fleet"))
    return new


def _pair(agent_id: int) -> tuple[Agent, Agent]:
    """Return the agent and the one it replaces, both locked."""
    old_id = Agent.objects.filter(pk=agent_id).values_list("replaces_id", flat=True).first()
    # Status before agent, as gateways lock them.
    statuses = AgentStatus.objects.select_for_update(of=("self",), no_key=True)
    list(statuses.filter(pk__in=[agent_id, old_id]).order_by("pk"))
    locked = Agent.objects.select_for_update(of=("self",), no_key=True).select_related("status")
    found = {row.pk: row for row in locked.filter(pk__in=[agent_id, old_id]).order_by("pk")}
    new = found.get(agent_id)
    if new is None:
        raise Missing("agent.missing")
    if old_id is None or new.replaces_id != old_id:
        raise Refused("successor.of_none", code="no_predecessor")
    if new.took_over_at is not None:
        raise Refused("successor.done_already")
    return new, found[old_id]


def _quarantines(old: Agent, new: Agent) -> None:
    """What a person keeps from the old one is kept from the new; what the old one refused by itself
    the new one may try."""
    live = Quarantine.objects.filter(lifted_at=None, outcome=Quarantine.Outcome.BY_HAND)
    has = live.filter(agent=new).values_list("config_hash", flat=True)
    for row in live.filter(agent=old).exclude(config_hash__in=has):
        row.pk, row.agent = None, new
        row.save(force_insert=True)
