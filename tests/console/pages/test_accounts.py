from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from console.pages import throttle
from tests.make.people import PASSWORD, make_user, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    cache.clear()


def log_in(client: Client, password: str = PASSWORD, **more: str) -> int:
    data = {"username": "lin", "password": password, **more}
    return client.post(reverse("accounts:login"), data).status_code


def test_the_right_password_opens_the_overview() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    answer = Client().post(reverse("accounts:login"), {"username": "lin", "password": PASSWORD})
    assert answer.status_code == 303
    assert answer.headers["Location"] == reverse("fleet:overview")


def test_a_wrong_password_is_said_in_one_sentence_and_audited() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    answer = Client().post(reverse("accounts:login"), {"username": "lin", "password": "nope"})
    assert answer.status_code == 422
    assert "do not match" in answer.content.decode()
    assert AuditEvent.objects.filter(act="login.failed", actor_name="lin").exists()


@pytest.mark.parametrize(("origin", "status"), [("public", 303), ("https://evil.example", 403)])
def test_a_form_may_come_from_the_public_address_though_tls_ends_elsewhere(
    settings: Any, origin: str, status: int
) -> None:
    make_user("lin", "viewer", password=PASSWORD)
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("accounts:login"))
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    data = {"username": "lin", "password": PASSWORD, "csrfmiddlewaretoken": token}
    sent_from = settings.PUBLIC_URL if origin == "public" else origin
    answer = client.post(reverse("accounts:login"), data, headers={"origin": sent_from})
    assert answer.status_code == status


@pytest.mark.parametrize("is_https", [True, False])
def test_browsers_are_told_to_stay_with_https_where_people_come_by_it(
    settings: Any, is_https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = is_https
    assert ("Strict-Transport-Security" in Client().get("/login/").headers) is is_https


def test_the_session_is_new_after_signing_in() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    client = Client()
    client.get(reverse("accounts:login"))
    before = client.session.session_key
    log_in(client)
    assert client.session.session_key not in {None, before}


def test_an_account_is_locked_after_five_failures() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    client = Client()
    for _ in range(throttle.PER_ACCOUNT):
        assert log_in(client, "wrong") == 422
    assert log_in(client, PASSWORD) == 429


def test_an_address_is_locked_after_twenty_failures() -> None:
    client = Client()
    for i in range(throttle.PER_ADDRESS):
        log_in(client, "wrong", username=f"nobody-{i}")
    make_user("lin", "viewer", password=PASSWORD)
    assert log_in(client, PASSWORD) == 429


def test_signing_in_forgets_the_failures_of_the_account() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    for _ in range(throttle.PER_ACCOUNT - 1):
        log_in(Client(), "wrong")
    assert log_in(Client()) == 303
    assert log_in(Client(), "wrong") == 422


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_only_leads_to_local_pages(wanted: str) -> None:
    make_user("lin", "viewer", password=PASSWORD)
    data = {"username": "lin", "password": PASSWORD, "next": wanted}
    answer = Client().post(reverse("accounts:login"), data)
    assert answer.headers["Location"] == reverse("fleet:overview")


def test_signing_in_returns_to_the_page_asked_for() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    data = {"username": "lin", "password": PASSWORD, "next": "/agents/?q=env%3Dprod"}
    answer = Client().post(reverse("accounts:login"), data)
    assert answer.headers["Location"] == "/agents/?q=env%3Dprod"


def test_htmx_is_sent_to_the_login_page_and_back() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/rollouts/42/"}
    answer = Client().get("/rollouts/42/", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Frollouts%2F42%2F"


def test_a_region_that_pulls_itself_is_only_told() -> None:
    headers = {"HX-Request": "true", "X-Background": "1"}
    answer = Client().get("/rollouts/42/", headers=headers)
    assert answer.status_code == 401
    assert "HX-Redirect" not in answer.headers


def test_signing_out_needs_a_post() -> None:
    client = sign_in("lin", "viewer")
    assert client.get(reverse("accounts:logout")).status_code == 405
    assert client.post(reverse("accounts:logout")).status_code == 303
    assert "_auth_user_id" not in client.session


def test_a_form_without_its_token_is_refused() -> None:
    make_user("lin", "viewer", password=PASSWORD)
    client = Client(enforce_csrf_checks=True)
    assert log_in(client) == 403
