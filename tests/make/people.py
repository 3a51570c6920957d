"""People who act, and clients that are signed in as one."""

from __future__ import annotations

import itertools

from django.test import Client

from accounts.actor import Actor
from accounts.models import RoleBinding, User

PASSWORD = "correct-horse-battery"
_numbers = itertools.count(1)


def make_user(name: str, *roles: str, password: str = "") -> User:
    """Create a person; without a password, because hashing one takes as long as a whole test."""
    user = User.objects.create(username=name)
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    RoleBinding.objects.bulk_create(RoleBinding(user=user, role=role) for role in roles)
    return user


def make_actor(*roles: str, name: str = "") -> Actor:
    """Return a person with these roles; one of this name when there is one, else a new one."""
    user, _ = User.objects.get_or_create(username=name or f"{'-'.join(roles)}-{next(_numbers)}")
    for role in roles:
        RoleBinding.objects.get_or_create(user=user, role=role, scope="*")
    return Actor.of(user)


def sign_in(name: str, *roles: str) -> Client:
    """Return a client of a new person with these roles."""
    client = Client()
    client.force_login(make_user(name, *roles))
    return client
