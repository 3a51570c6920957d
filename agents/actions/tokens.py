"""Bearer tokens of agents: personal, or shared by a pool (security.md section 3)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actor import Actor
from accounts.policy import require
from agents.models import AgentToken
from console.lib import hints
from console.lib.problems import Missing


def issue_token(
    *,
    name: str,
    by: Actor,
    agent_id: int | None = None,
    labels: Mapping[str, str] | None = None,
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> tuple[AgentToken, str]:
    """Make a token. The second value is the secret, never available again. Raises Denied."""
    require(by, "agents.settings")
    secret = AgentToken.PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = AgentToken.objects.create(
            name=name,
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            shown_prefix=secret[:13],
            agent_id=agent_id,
            labels=dict(labels or {}),
            created_at=now or timezone.now(),
            created_by=by.name,
            expires_at=expires_at,
        )
        audit.record(
            actor=by,
            act="token.created",
            object_kind="agent_token",
            object_id=token.pk,
            object_name=name,
            details={"agent": agent_id or "pool"},
        )
    return token, secret


def revoke_token(
    *, token_id: int, by: Actor, reason: str = "", now: datetime | None = None
) -> AgentToken:
    """Revoke a token: live sessions are cut, later use is a 401 (OP-43). Raises Denied, Missing."""
    require(by, "agents.settings")
    with transaction.atomic():
        token = (
            AgentToken.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=token_id)
            .first()
        )
        if token is None:
            raise Missing("tokens.missing")
        if token.revoked_at is None:
            token.revoked_at = now or timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record(
                actor=by,
                act="token.revoked",
                object_kind="agent_token",
                object_id=token.pk,
                object_name=token.name,
                reason=reason,
            )
        transaction.on_commit(lambda: hints.publish(hints.SETTINGS))
    return token
