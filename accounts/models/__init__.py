"""People, roles, tokens and the audit trail.

Tests: `tests/accounts`, `tests/rollouts/actions/test_acts.py`.
"""

from __future__ import annotations

from accounts.models.audit_event import AuditEvent
from accounts.models.role import Role, RoleBinding
from accounts.models.token import ApiToken
from accounts.models.user import Theme, User

__all__ = ["ApiToken", "AuditEvent", "Role", "RoleBinding", "Theme", "User"]
