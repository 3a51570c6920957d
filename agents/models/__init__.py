"""Agents, what they report, what they should run, and how deliveries went.

Tests: `tests/agents/test_querysets.py`, `tests/agents/gateway`.
"""

from __future__ import annotations

from agents.models.agent import Agent, AgentAlias, ComponentSet
from agents.models.certificate_request import CertificateRequest
from agents.models.delivery import ConfigBody, Delivery, Desired, News, Quarantine
from agents.models.ends import RefusedAgent, RetirementRule
from agents.models.sample import FleetSample
from agents.models.series import Series
from agents.models.session import AgentEvent, Session
from agents.models.settings import Command, DesiredSettings
from agents.models.signing import SignedVersion, SigningKey
from agents.models.status import AgentBody, AgentStatus, ConfigStatus, GatewayLease
from agents.models.token import AgentToken
from agents.models.trust import AgentCertificate, TrustedAuthority

__all__ = [
    "Agent",
    "AgentAlias",
    "AgentBody",
    "AgentCertificate",
    "AgentEvent",
    "AgentStatus",
    "AgentToken",
    "CertificateRequest",
    "Command",
    "ComponentSet",
    "ConfigBody",
    "ConfigStatus",
    "Delivery",
    "Desired",
    "DesiredSettings",
    "FleetSample",
    "GatewayLease",
    "News",
    "Quarantine",
    "RefusedAgent",
    "RetirementRule",
    "Series",
    "Session",
    "SignedVersion",
    "SigningKey",
    "TrustedAuthority",
]
