"""The words that fields may hold, named so that the OpenAPI document can name them too."""

from __future__ import annotations

from agents.models import Agent, Delivery, Quarantine
from rollouts.documents import DocumentKind
from rollouts.engine.facts import GateKind, Level, Verdict
from rollouts.engine.states import PhaseState, RollbackState, RollbackTargetState, RolloutState
from rollouts.models import Approval, Rollback

AGENT_KINDS = list(Agent.Kind.values)
CONFIG_STATUSES = ["unset", "applied", "applying", "failed"]
DELIVERY_STATES = list(Delivery.State.values)
QUARANTINE_OUTCOMES = list(Quarantine.Outcome.values)
ACTOR_KINDS = ["human", "token", "system", "agent"]
CHECK_LEVELS = ["ok", "note", "warning", "error"]
READINESS_LEVELS = ["block", "note", "ok"]
DOCUMENT_KINDS = [kind.value for kind in DocumentKind]
CHANGES = ["created", "changed", "unchanged"]
ROLLOUT_STATES = [state.value for state in RolloutState]
PHASE_STATES = [state.value for state in PhaseState]
VERDICTS = [verdict.value for verdict in Verdict]
APPROVAL_STATES = list(Approval.State.values)
ROLLBACK_STATES = [state.value for state in RollbackState]
ROLLBACK_TARGET_STATES = [state.value for state in RollbackTargetState]
ROLLBACK_KINDS = list(Rollback.Kind.values)
ROLLBACK_METHODS = list(Rollback.Method.values)
MEASUREMENT_OUTCOMES = ["value", "no_data", "stale", "error"]
GATE_KINDS = [kind.value for kind in GateKind]
GATE_LEVELS = [level.value for level in Level]
WHEN_BUSY = ["refuse", "queue", "supersede"]
