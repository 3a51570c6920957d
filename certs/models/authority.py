from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models import TrustedAuthority


class Authority(models.Model):
    """A CA of our own that signs for agents. Its key is never here: `issuer` says who holds it.

    What gateways trust is `trusted`. One is active; certificates are issued from that one alone.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        RETIRED = "retired"

    trusted = models.OneToOneField(TrustedAuthority, models.PROTECT, related_name="authority")
    issuer = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State.choices)
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "authorities"
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="one_active_authority"
            )
        ]

    def __str__(self) -> str:
        return str(self.trusted)
