"""Whoever asks the API in a test: a person with roles, over a token or over a session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiToken, RoleBinding, User

Reply = Any
"""What a test client returns: an HttpResponse with `json()`, whose type Django does not export."""


def person(*roles: str) -> User:
    """Return a person with these roles, the same one when asked twice."""
    user, created = User.objects.get_or_create(username="-".join(roles) or "nobody")
    if created:
        RoleBinding.objects.bulk_create(RoleBinding(user=user, role=role) for role in roles)
    return user


def secret_of(user: User, **fields: Any) -> str:
    """Return the secret of a new token of `user`; `fields` are set on the token."""
    expires_at = fields.pop("expires_at", timezone.now() + timedelta(days=1))
    token, secret = ApiToken.issue(owner=user, name="ci", expires_at=expires_at)
    for name, value in fields.items():
        setattr(token, name, value)
    token.save()
    return secret


def by_token(*roles: str) -> Client:
    """Return a client that sends a token of a person with these roles."""
    return Client(headers={"authorization": f"Bearer {secret_of(person(*roles))}"})


def by_session(*roles: str, check_csrf: bool = False) -> Client:
    """Return a client that is signed in as a person with these roles."""
    client = Client(enforce_csrf_checks=check_csrf)
    client.force_login(person(*roles))
    return client


def queries_of(client: Client, url: str) -> int:
    """Return how many queries it takes to answer a GET in full."""
    with CaptureQueriesContext(connection) as taken:
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.getvalue()
    return len(taken)
