from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import ApiToken, User
from accounts.models.token import digest

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def issue() -> tuple[ApiToken, str]:
    owner = User.objects.create(username="lin")
    return ApiToken.issue(owner=owner, name="ci", expires_at=NOW + timedelta(days=90))


def test_the_secret_is_not_in_the_database() -> None:
    token, secret = issue()
    row = " ".join(str(value) for value in ApiToken.objects.values_list().get(pk=token.pk))
    assert secret not in row
    assert token.digest == digest(secret)


def test_expires() -> None:
    token, _ = issue()
    assert token.is_valid(NOW)
    assert not token.is_valid(NOW + timedelta(days=90))


def test_can_be_revoked() -> None:
    token, _ = issue()
    token.revoked_at = NOW
    assert not token.is_valid(NOW)
