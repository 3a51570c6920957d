from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models import Agent, AgentCertificate, CertificateRequest
from certs.models.authority import Authority
from certs.models.querysets import CertificateQuerySet
from certs.rotation.states import OPEN_STATES, CertificateState, Mode, Origin
from console.lib.text_column import TextColumn


class Certificate(models.Model):
    """One certificate of an agent, from being wanted to its end (security.md section 4).

    State changes go through `certs.apply` only. `before` is the certificate it renews, or tries once
    more; `needed_by` when what the agent uses now ends. `hash_before` is what gateways had sent the
    agent before this one was offered, so that what was sent since is known to hold it; `settings_before`
    is what was wanted of it then, to be wanted again if this fails. `says` are the
    agent's own words. `next_look_at` is when the loop looks again, `seen` what it last saw of the
    agent; both decide when that is. `renew_at` is set while it is installed and has no successor.
    """

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="life_of_certificates")
    authority = models.ForeignKey(Authority, models.PROTECT, null=True)
    request = models.ForeignKey(CertificateRequest, models.SET_NULL, null=True)
    registered = models.OneToOneField(
        AgentCertificate, models.SET_NULL, null=True, related_name="life"
    )
    before = models.ForeignKey("self", models.SET_NULL, null=True, related_name="successors")
    mode = models.CharField(max_length=8, choices=Mode.choices(), default=Mode.CSR)
    origin = models.CharField(max_length=10, choices=Origin.choices())
    state = models.CharField(
        max_length=12, choices=CertificateState.choices(), default=CertificateState.PENDING
    )
    since = models.DateTimeField()
    is_approved = models.BooleanField(default=True)
    attempt = models.PositiveIntegerField(default=1)
    needed_by = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    chain_pem = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, db_index=True)
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)
    offered_at = models.DateTimeField(null=True)
    offer_hash = models.CharField(max_length=64, blank=True)
    hash_before = models.CharField(max_length=64, blank=True)
    settings_before = models.JSONField(null=True)
    settings_hash_before = models.CharField(max_length=64, blank=True)
    installed_at = models.DateTimeField(null=True)
    reverted_at = models.DateTimeField(null=True)
    renew_at = models.DateTimeField(null=True)

    why = TextColumn(blank=True)
    says = models.TextField(blank=True)
    next_look_at = models.DateTimeField(null=True)
    seen = models.CharField(max_length=300, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent"],
                condition=Q(state__in=sorted(OPEN_STATES)),
                name="one_certificate_on_its_way",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in CertificateState]),
                name="certificate_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                name="certificate_due",
                condition=Q(next_look_at__isnull=False),
            ),
            models.Index(
                fields=["renew_at"],
                name="certificate_renewal",
                condition=Q(renew_at__isnull=False),
            ),
            models.Index(fields=["state", "since"], name="certificate_state_since"),
            models.Index(fields=["agent", "-id"], name="certificate_of_agent"),
        ]

    def __str__(self) -> str:
        what = self.fingerprint[:12] or f"#{self.pk}"
        return f"certificate {what} of agent {self.agent_id}"

    @property
    def principal(self) -> str:
        """What sessions name that were made with it; "" before it is issued."""
        if not self.fingerprint:
            return ""
        return AgentCertificate.PRINCIPAL + self.fingerprint[: AgentCertificate.SHOWN_DIGITS]
