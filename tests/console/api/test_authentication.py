from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from tests.console.api.people import by_session, by_token, person, secret_of

pytestmark = pytest.mark.django_db
AGENTS = "/api/v1/agents"


def asked_with(header: str) -> tuple[int, str]:
    answer = Client(headers={"authorization": header}).get(AGENTS)
    return answer.status_code, answer.json().get("code", "")


def test_a_token_signs_in() -> None:
    assert by_token("viewer").get(AGENTS).status_code == 200


def test_a_session_signs_in() -> None:
    assert by_session("viewer").get(AGENTS).status_code == 200


def test_nobody_is_told_how_to_sign_in() -> None:
    answer = Client().get(AGENTS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "credential_missing"


def test_an_expired_token_is_named_as_such() -> None:
    secret = secret_of(person("viewer"), expires_at=timezone.now() - timedelta(seconds=1))
    assert asked_with(f"Bearer {secret}") == (401, "token_expired")


def test_a_revoked_token_is_refused() -> None:
    secret = secret_of(person("viewer"), revoked_at=timezone.now())
    assert asked_with(f"Bearer {secret}") == (401, "credential_invalid")


def test_a_token_of_an_inactive_person_is_refused() -> None:
    user = person("viewer")
    secret = secret_of(user)
    user.is_active = False
    user.save()
    assert asked_with(f"Bearer {secret}") == (401, "credential_invalid")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer tg_u_wrong",
        "Bearer other",
        "bearer tg_u_\udcff",
        "Bearer tg_u_" + "x" * 9000,
    ],
)
def test_a_wrong_token_is_refused(header: str) -> None:
    assert asked_with(header) == (401, "credential_invalid")


def test_a_wrong_token_is_not_saved_by_a_session() -> None:
    client = by_session("viewer")
    answer = client.get(AGENTS, headers={"authorization": "Bearer tg_u_wrong"})
    assert answer.status_code == 401


def test_use_is_recorded_with_its_address() -> None:
    by_token("viewer").get(AGENTS)
    token = ApiToken.objects.get()
    assert token.last_used_at is not None
    assert token.last_used_address == "127.0.0.1"


def test_use_is_recorded_at_most_once_a_minute() -> None:
    client = by_token("viewer")
    recently = timezone.now() - timedelta(seconds=50)
    ApiToken.objects.update(last_used_at=recently)
    client.get(AGENTS)
    assert ApiToken.objects.get().last_used_at == recently


def test_someone_without_a_role_reads_nothing() -> None:
    answer = by_token().get(AGENTS)
    assert answer.status_code == 403
    assert "viewer" in answer.json()["detail"]
