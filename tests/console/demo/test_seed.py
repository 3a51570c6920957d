from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ApiToken, RoleBinding, User
from console.demo import files, people
from rollouts.models import ConfigVersion, Plan

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADDRESSES = people.Addresses("http://127.0.0.1:8080", "ws://127.0.0.1:4320/v1/opamp")

pytestmark = pytest.mark.django_db


def credentials(data_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((data_dir / people.CREDENTIALS_FILE).read_text())
    return content


def test_each_person_can_sign_in_with_the_printed_password(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    for person in credentials(tmp_path)["users"].values():
        assert User.objects.get(username=person["username"]).check_password(person["password"])


def test_each_person_has_a_role_and_the_operator_writes_configs_as_well(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    assert set(RoleBinding.objects.values_list("user__username", "role", "scope")) == {
        ("author", "author", "*"),
        ("operator", "operator", "*"),
        ("operator", "author", "*"),
        ("approver", "approver", "*"),
        ("admin", "admin", "*"),
    }


def test_the_token_is_the_operators(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    secret = credentials(tmp_path)["api_token"]
    assert secret.startswith("tg_u_")
    assert ApiToken.objects.get().owner.username == "operator"


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    assert (tmp_path / people.CREDENTIALS_FILE).stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    first = credentials(tmp_path)
    people.ensure(tmp_path, ADDRESSES, NOW + timedelta(days=1))
    assert credentials(tmp_path) == first
    assert ApiToken.objects.count() == 1


def test_a_lost_file_is_made_again_with_passwords_that_work(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    (tmp_path / people.CREDENTIALS_FILE).unlink()
    people.ensure(tmp_path, ADDRESSES, NOW)
    person = credentials(tmp_path)["users"]["author"]
    assert User.objects.get(username="author").check_password(person["password"])


def test_an_emptied_database_gets_the_passwords_of_the_file(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    first = credentials(tmp_path)
    ApiToken.objects.all().delete()
    User.objects.all().delete()
    people.ensure(tmp_path, ADDRESSES, NOW)
    assert credentials(tmp_path)["users"] == first["users"]
    assert User.objects.get(username="author").check_password(first["users"]["author"]["password"])


def test_a_token_about_to_expire_is_replaced(tmp_path: Path) -> None:
    people.ensure(tmp_path, ADDRESSES, NOW)
    first = credentials(tmp_path)["api_token"]
    people.ensure(tmp_path, ADDRESSES, NOW + timedelta(days=90))
    assert credentials(tmp_path)["api_token"] != first


def test_the_examples_are_uploaded_once(tmp_path: Path) -> None:
    author = people.ensure(tmp_path, ADDRESSES, NOW)["author"]
    files.ensure(author)
    files.ensure(author)
    assert list(ConfigVersion.objects.order_by("number").values_list("config__name", "number")) == [
        ("edge", 1),
        ("edge", 2),
        ("edge", 3),
    ]
    assert Plan.objects.filter(name="by-environment", built_in=False).count() == 1


def test_the_structural_checks_find_nothing_wrong_with_the_examples(tmp_path: Path) -> None:
    files.ensure(people.ensure(tmp_path, ADDRESSES, NOW)["author"])
    for version in ConfigVersion.objects.all():
        assert [check for check in version.checks if check["level"] == "error"] == []
