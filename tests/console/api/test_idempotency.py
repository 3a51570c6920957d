from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from console.models import StoredAnswer
from rollouts.models import ConfigVersion
from tests.console.api.people import Reply, by_token, person, secret_of
from tests.console.api.test_configs import GOOD, OTHER

pytestmark = pytest.mark.django_db
CONFIG = "/api/v1/config?name=edge"


def send(body: bytes = GOOD, key: str = "k1", role: str = "author", url: str = CONFIG) -> Reply:
    return by_token(role).generic("POST", url, body, headers={"idempotency-key": key})


def test_the_same_write_is_answered_the_same_and_done_once() -> None:
    first, second = send(), send()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert ConfigVersion.objects.count() == 1


def test_another_body_under_the_same_key_is_refused() -> None:
    send()
    second = send(OTHER)
    assert (second.status_code, second.json()["code"]) == (422, "key_reused")
    assert ConfigVersion.objects.count() == 1


def test_another_address_under_the_same_key_is_refused() -> None:
    send()
    assert send(url="/api/v1/config?name=other").json()["code"] == "key_reused"


def test_keys_of_two_people_do_not_meet() -> None:
    send()
    assert "Idempotency-Replayed" not in send(role="admin")


def test_a_refusal_is_not_kept() -> None:
    assert send(b"a: [").status_code == 422
    assert not StoredAnswer.objects.exists()
    assert send().status_code == 201


def test_a_key_is_forgotten_after_a_day() -> None:
    send()
    StoredAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert send().status_code == 200  # the same bytes, uploaded anew


def test_a_write_without_a_key_is_not_kept() -> None:
    by_token("author").generic("POST", CONFIG, GOOD)
    assert not StoredAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    assert send(key=key).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_done_once() -> None:
    secret = secret_of(person("author"))
    answers: list[Reply] = []
    together = threading.Barrier(4)

    def write() -> None:
        client = by_token()
        together.wait(10)
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": "race"}
        answers.append(client.generic("POST", CONFIG, GOOD, headers=headers))
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 3
