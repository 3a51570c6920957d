"""A new installation: the first person gets a role, scripts and agents get tokens, by command."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import ApiToken, AuditEvent, Role, User
from accounts.policy import can
from accounts.roles import set_role
from accounts.tokens import issue_api_token, revoke_api_token
from agents.models import AgentToken
from console.lib.problems import Denied
from tests.console.api.people import by_token
from tests.make.people import make_actor

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def user(name: str = "ada") -> User:
    return User.objects.create(username=name)


def may(name: str, verb: str) -> bool:
    return bool(can(Actor.of(User.objects.get(username=name)), verb))


def api_status(secret: str) -> int:
    headers: Any = {"authorization": f"Bearer {secret}"}
    return by_token().get("/api/v1/plans", headers=headers).status_code


def test_a_role_is_given_and_taken() -> None:
    user()
    assert not may("ada", "rollouts.start")
    assert run("role", "ada", "operator", "--reason", "on call") == "ada is operator."
    assert may("ada", "rollouts.start")
    run("role", "ada", "operator", "--remove")
    assert not may("ada", "rollouts.start")
    changes = AuditEvent.objects.filter(act="role.changed").order_by("pk")
    assert [(e.details["held"], e.reason) for e in changes] == [(True, "on call"), (False, "")]
    assert changes[0].actor_name.startswith("manage.py role (")


def test_giving_a_role_twice_changes_nothing() -> None:
    user()
    run("role", "ada", "viewer")
    assert "already" in run("role", "ada", "viewer")
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("command", [["role", "eve", "viewer"], ["token", "person", "eve", "ci"]])
def test_somebody_who_is_not_there_is_named(command: list[str]) -> None:
    with pytest.raises(CommandError, match="no user eve"):
        run(*command)


def test_an_api_token_works_until_it_is_revoked() -> None:
    user()
    run("role", "ada", "viewer")
    secret = run("token", "person", "ada", "ci", "--days", "30")
    assert api_status(secret) == 200
    run("token", "revoke", secret[:13])
    assert api_status(secret) == 401
    acts = AuditEvent.objects.filter(object_kind="api_token").order_by("pk")
    assert [e.act for e in acts] == ["token.created", "token.revoked"]


def test_an_api_token_expires_within_a_year() -> None:
    user()
    run("token", "person", "ada", "ci")
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=89) < left <= timedelta(days=90)
    with pytest.raises(CommandError, match="1 to 365 days"):
        run("token", "person", "ada", "ci", "--days", "366")


def test_a_pool_of_agents_gets_its_token_and_labels() -> None:
    secret = run("token", "agents", "edge", "--label", "site=lab", "--label", "env=prod")
    token = AgentToken.objects.get()
    assert secret.startswith(token.shown_prefix)
    assert (token.labels, token.expires_at) == ({"site": "lab", "env": "prod"}, None)
    run("token", "revoke", secret[:13])
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_no_secret_is_kept() -> None:
    user()
    secrets = [run("token", "person", "ada", "ci"), run("token", "agents", "edge")]
    kept = str(list(ApiToken.objects.values()) + list(AgentToken.objects.values()))
    kept += str(list(AuditEvent.objects.values()))
    assert not [secret for secret in secrets if secret in kept]


@pytest.mark.parametrize(
    "arguments",
    [["agents", "edge", "--label", "lab"], ["agents", "e", "--days", "0"], ["revoke", "tg_u_no"]],
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("token", *arguments)


@pytest.mark.parametrize("role", [r for r in Role.values if r != Role.ADMIN])
def test_only_admins_change_roles_and_tokens(role: str) -> None:
    user()
    by, now = make_actor(role), timezone.now()
    with pytest.raises(Denied):
        set_role(username="ada", role=Role.ADMIN, held=True, by=by)
    with pytest.raises(Denied):
        issue_api_token(username="ada", name="x", life=timedelta(days=1), by=by, now=now)
    with pytest.raises(Denied):
        revoke_api_token(token_id=1, by=by, now=now)


def test_a_token_cannot_make_tokens_or_change_roles() -> None:
    admin = make_actor("admin")
    assert admin.user is not None
    assert can(admin, "people.write")
    assert not can(Actor.of(admin.user, token_name="ci"), "people.write")
