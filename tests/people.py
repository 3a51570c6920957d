"""People for tests: the least that can act."""

from __future__ import annotations

from accounts.actor import Actor
from accounts.models import RoleBinding, User


def make_actor(*roles: str, name: str = "lin") -> Actor:
    """Return a person with these roles everywhere."""
    user, _ = User.objects.get_or_create(username=name)
    for role in roles:
        RoleBinding.objects.get_or_create(user=user, role=role, scope="*")
    return Actor.of(user)
