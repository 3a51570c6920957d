from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from agents.models.agent import Agent
from console.lib.text_column import TextColumn


class TrustedAuthority(models.Model):
    """A CA whose certificates agents may show at the gateway (security.md R4, R22).

    `identity_rule` is a regular expression that a URI of the leaf's SAN, else its CN, matches whole; its
    group `uid` is the agent of that instance_uid, its group `name` whoever has that name. "" = only
    certificates of the registry are let in. `labels` are given to new agents. `is_ours`:
    certificate requests are answered from it, so gateways announce it. `change` as in Desired.
    """

    name = models.CharField(max_length=100, unique=True)
    pem = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True)
    subject = models.TextField(blank=True)
    identity_rule = models.CharField(max_length=300, blank=True)
    labels = models.JSONField(default=dict)
    is_ours = models.BooleanField(default=False, db_default=False)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)
    retired_at = models.DateTimeField(null=True)
    retired_why = TextColumn(blank=True, default="")
    change = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name_plural = "trusted authorities"

    def __str__(self) -> str:
        return self.name


class AgentCertificate(models.Model):
    """The registry of agents' certificates by fingerprint (security.md R22): lower-case hex SHA-256.

    One that was issued names its agent (`is_observed` false), and the agent is who shows it. One from
    elsewhere was let in by the rule of its authority and is written down when it is first seen
    (`is_observed`): the rule goes on deciding who it is, the row can only take that away. A revoked one
    is refused either way. `change` works as in Desired.
    """

    PRINCIPAL = "certificate:"
    SHOWN_DIGITS = 32

    fingerprint = models.CharField(max_length=64, unique=True)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="certificates")
    authority = models.ForeignKey(
        TrustedAuthority, models.SET_NULL, null=True, related_name="certificates"
    )
    is_observed = models.BooleanField(default=False)
    subject = models.TextField(blank=True)
    serial = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    issued_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_why = TextColumn(blank=True, default="")
    change = models.BigIntegerField(db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["not_after"], name="live_certificate_end", condition=Q(revoked_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"certificate {self.fingerprint[:12]} of agent {self.agent_id}"

    @property
    def principal(self) -> str:
        """What sessions that were proven by it name (`Session.principal`): enough digits to be its
        own, few enough for the column."""
        return self.PRINCIPAL + self.fingerprint[: self.SHOWN_DIGITS]

    def is_valid(self, now: datetime) -> bool:
        """Tell whether it may be used at `now`."""
        return self.revoked_at is None and self.not_before <= now < self.not_after
