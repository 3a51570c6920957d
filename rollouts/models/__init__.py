"""Configs, plans, rollouts and everything that is kept about them.

Tests: `tests/rollouts/models`, `tests/rollouts/test_rollout.py`,
`tests/rollouts/test_any_history.py`.
"""

from __future__ import annotations

from rollouts.models.attention import Acknowledgement
from rollouts.models.config import Config, ConfigVersion
from rollouts.models.event import Event
from rollouts.models.evidence import Approval, Measurement, Waiver
from rollouts.models.limits import Budget, BudgetLease, EnvironmentGuard, FreezeWindow
from rollouts.models.moment import RolloutMoment
from rollouts.models.plan import NamedSelector, Plan
from rollouts.models.rollback import Rollback, RollbackTarget
from rollouts.models.rollout import Phase, Rollout
from rollouts.models.share_link import ShareLink
from rollouts.models.target import Target

__all__ = [
    "Acknowledgement",
    "Approval",
    "Budget",
    "BudgetLease",
    "Config",
    "ConfigVersion",
    "EnvironmentGuard",
    "Event",
    "FreezeWindow",
    "Measurement",
    "NamedSelector",
    "Phase",
    "Plan",
    "Rollback",
    "RollbackTarget",
    "Rollout",
    "RolloutMoment",
    "ShareLink",
    "Target",
    "Waiver",
]
