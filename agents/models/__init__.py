"""Agents, what they report, what they should run, and how deliveries went."""

from __future__ import annotations

from agents.models.agent import Agent, AgentAlias, ComponentSet
from agents.models.delivery import ConfigBody, Delivery, Desired, News, Quarantine
from agents.models.session import AgentEvent, Session
from agents.models.status import AgentBody, AgentStatus, ConfigStatus, GatewayLease

__all__ = [
    "Agent",
    "AgentAlias",
    "AgentBody",
    "AgentEvent",
    "AgentStatus",
    "ComponentSet",
    "ConfigBody",
    "ConfigStatus",
    "Delivery",
    "Desired",
    "GatewayLease",
    "News",
    "Quarantine",
    "Session",
]
