"""Labels that operators give to an agent; they win over what the agent reports (spec section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import Agent
from agents.opamp.attributes import MAX_VALUE_CHARS, labels_of
from agents.selectors.fields import FIELDS
from agents.selectors.versions import version_keys
from console.lib import hints
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text

MAX_LABELS = 64
MAX_KEY_CHARS = 256


def set_labels(
    *,
    agent_id: int,
    by: Actor,
    set: Mapping[str, str] | None = None,
    remove: Iterable[str] = (),
    reason: str = "",
) -> Agent:
    """Set and remove operator labels. A removed one shows what the agent reports again.

    Raises Denied, Missing, and Invalid for unusable keys or values, or more than 64 labels.
    """
    require(by, "agents.label")
    wanted = dict(set or {})
    _check(wanted)
    with transaction.atomic():
        agent: Agent | None = (
            Agent.objects.select_for_update(of=("self",), no_key=True).filter(pk=agent_id).first()
        )
        if agent is None:
            raise Missing("agent.missing")
        before = dict(agent.operator_labels)
        after = {key: value for key, value in before.items() if key not in frozenset(remove)}
        after |= wanted
        if len(after) > MAX_LABELS:
            raise Invalid("labels.too_many", most=MAX_LABELS)
        if after == before:
            return agent
        agent.operator_labels = after
        agent.labels = {**labels_of(agent.identifying, agent.non_identifying), **after}
        agent.version_keys = version_keys(agent.labels)
        agent.save(update_fields=["operator_labels", "labels", "version_keys"])
        audit.record(
            actor=by,
            act="agents.label",
            object_kind="agent",
            object_id=agent.pk,
            object_name=str(agent),
            reason=reason,
            details={"before": before, "after": after},
        )
        transaction.on_commit(lambda: hints.mark_dirty("agents"))
    return agent


def _check(labels: Mapping[str, object]) -> None:
    errors = []
    for key, value in labels.items():
        if not key.strip() or len(key) > MAX_KEY_CHARS or "\x00" in key:
            errors.append(FieldError(f"labels.{key[:40]}", text("labels.bad_key")))
        if key in FIELDS:
            errors.append(FieldError(f"labels.{key}", text("labels.is_a_field", key=key)))
        if not isinstance(value, str) or len(value) > MAX_VALUE_CHARS or "\x00" in value:
            errors.append(FieldError(f"labels.{key[:40]}", text("labels.bad_value")))
    if errors:
        raise Invalid("labels.unusable", errors=errors)
