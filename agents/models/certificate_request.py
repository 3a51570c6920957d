from __future__ import annotations

from django.db import models

from agents.models.agent import Agent


class CertificateRequest(models.Model):
    """A certificate request (CSR) of an agent, stored by its gateway for who issues (OP-45).

    An agent sends it once; sent again it is the same row (`digest` is the SHA-256 of its DER), not
    yet taken. `principal` is who the connection spoke for that brought it last. The gateway has read
    it and seen that it is whole and names no other agent. `taken_at` is when somebody began to answer.
    """

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="certificate_requests")
    digest = models.CharField(max_length=64)
    csr = models.TextField()
    principal = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()
    times = models.IntegerField(default=1)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "digest"], name="one_row_per_request")
        ]
        indexes = [
            models.Index(fields=["id"], name="request_waiting", condition=models.Q(taken_at=None))
        ]

    def __str__(self) -> str:
        return f"certificate request {self.digest[:12]} of agent {self.agent_id}"
