from __future__ import annotations

import pytest

from accounts import policy
from accounts.actor import SYSTEM, Actor
from accounts.models import Role, RoleBinding, User
from console.lib.problems import Denied

pytestmark = pytest.mark.django_db


def person(*roles: str, scope: str = "*") -> Actor:
    user = User.objects.create(username="-".join(roles) or "nobody")
    for role in roles:
        RoleBinding.objects.create(user=user, role=role, scope=scope)
    return Actor.of(user)


# Security design, section 6: what each role may do, written out by hand on purpose.
TABLE = {
    Role.VIEWER: {"agents.view", "configs.view", "rollouts.view", "plans.view", "metrics.view", "audit.view"},
    Role.AUTHOR: {"configs.write", "plans.write", "selectors.write"},
    Role.OPERATOR: {
        "rollouts.start", "rollouts.edit", "rollouts.discard", "rollouts.pause", "rollouts.resume", "rollouts.advance", "rollouts.abort",
        "rollouts.retry", "rollouts.rollback", "agents.label", "agents.restart",
        "agents.retire", "agents.retry_config", "agents.settings", "agents.certificates",
        "certificates.approve", "certificates.renew", "certificates.revoke", "certificates.pause", "certificates.resume",
        "quarantine.add", "needs.acknowledge", "rollouts.share",
    },
    Role.APPROVER: {
        "rollouts.approve", "rollouts.reject", "rollouts.waive", "rollouts.rollback", "quarantine.lift",
        "needs.acknowledge", "rollouts.share",
    },
}  # fmt: skip


@pytest.mark.parametrize("role", list(TABLE))
def test_each_role_may_do_what_the_table_says_and_no_more(role: Role) -> None:
    actor = person(role)
    expected = TABLE[role] | TABLE[Role.VIEWER]
    assert {verb for verb in policy.VERBS if policy.can(actor, verb)} == expected


def test_nobody_may_do_anything_by_default() -> None:
    actor = person()
    assert not [verb for verb in policy.VERBS if policy.can(actor, verb)]


def test_an_inactive_person_may_do_nothing() -> None:
    actor = person(Role.ADMIN)
    assert actor.user is not None
    actor.user.is_active = False
    assert not policy.can(actor, "agents.view")


def test_a_scoped_binding_grants_nothing_everywhere() -> None:
    assert not policy.can(person(Role.OPERATOR, scope="env=prod"), "rollouts.start")


def test_admins_do_not_approve() -> None:
    assert not policy.can(person(Role.ADMIN), "rollouts.approve")


def test_a_token_of_an_approver_cannot_approve() -> None:
    actor = person(Role.APPROVER)
    assert actor.user is not None
    answer = policy.can(Actor.of(actor.user, token_name="ci"), "rollouts.approve")
    assert not answer
    assert "token" in answer.why_not


def test_four_eyes_refuses_whoever_was_involved() -> None:
    actor = person(Role.APPROVER)
    assert actor.user is not None
    assert not policy.four_eyes(actor, frozenset({actor.user.pk}))
    assert policy.four_eyes(actor, frozenset({actor.user.pk + 1}))


def test_the_engine_is_not_a_second_pair_of_eyes() -> None:
    assert not policy.four_eyes(SYSTEM, frozenset())


def test_a_refusal_names_the_missing_role() -> None:
    with pytest.raises(Denied, match="admin or operator"):
        policy.require(person(Role.VIEWER), "rollouts.start")


def test_an_unknown_verb_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        policy.can(person(Role.ADMIN), "rollouts.explode")
