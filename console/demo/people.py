"""The demo's four people and the operator's API token, in step with `credentials.json`.

The file is the truth about secrets (they are stored hashed), the database about people: whatever is
missing on one side is made again, so a demo can be started, emptied and restarted in any order.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.actor import SYSTEM
from accounts.models import ApiToken, Role, RoleBinding, User
from accounts.models.token import digest
from console.processes.private_file import write_private

CREDENTIALS_FILE = "credentials.json"
_ROLES = (Role.AUTHOR, Role.OPERATOR, Role.APPROVER, Role.ADMIN)
# One token can do the whole main job but approve: the demo's operator may write configs as well.
_ROLES_OF = {Role.OPERATOR: (Role.OPERATOR, Role.AUTHOR)}
_TOKEN_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where this demo answers."""

    console: str
    opamp: str


def ensure(data_dir: Path, addresses: Addresses, now: datetime) -> dict[str, User]:
    """Make sure that people, token and file agree; return the people by role."""
    path = data_dir / CREDENTIALS_FILE
    found = _read(path)
    with transaction.atomic():
        people: dict[str, User] = {}
        written: dict[str, dict[str, str]] = {}
        for role in _ROLES:
            known = found.get("users", {}).get(role.value, {})
            password = known.get("password") or secrets.token_urlsafe(12)
            people[role.value] = _person(role, password)
            written[role.value] = {"username": role.value, "password": password}
        token = _token(people[Role.OPERATOR.value], str(found.get("api_token", "")), now)
        # Inside the transaction: a file that cannot be written must not leave people whose
        # passwords nobody knows.
        write_private(
            path,
            {
                "console": addresses.console,
                "opamp": addresses.opamp,
                "users": written,
                "api_token": token,
            },
        )
    return people


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _person(role: Role, password: str) -> User:
    user, is_new = User.objects.get_or_create(username=role.value)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    for held in _ROLES_OF.get(role, (role,)):
        RoleBinding.objects.get_or_create(user=user, role=held.value, scope="*")
    if is_new:
        audit.record(
            actor=SYSTEM,
            act="people.create",
            object_kind="user",
            object_id=user.pk,
            object_name=user.username,
            reason="Demo",
        )
    return user


def _token(owner: User, secret: str, now: datetime) -> str:
    """Return the secret of a token of `owner` that is valid: the known one, else a new one."""
    known = ApiToken.objects.filter(owner=owner, digest=digest(secret)).first()
    if known is not None and known.is_valid(now + timedelta(days=1)):
        return secret
    _, fresh = ApiToken.issue(owner=owner, name="demo", expires_at=now + _TOKEN_LIFE)
    return fresh
