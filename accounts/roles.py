"""Giving and taking roles; who may do what with them is in `accounts.policy`."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.models import Role, RoleBinding, User
from accounts.policy import VERBS, require
from console.lib.problems import Missing


def set_role(*, username: str, role: Role, held: bool, by: Actor, reason: str = "") -> bool:
    """Give a person a role everywhere, or take it away. Returns whether anything changed.

    Raises Denied, and Missing when there is no such person.
    """
    require(by, "people.write")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(username=username).first()
        if user is None:
            raise Missing("people.no_user", username=username)
        if held:
            _, changed = RoleBinding.objects.get_or_create(user=user, role=role, scope="*")
        else:
            taken = RoleBinding.objects.filter(user=user, role=role, scope="*").delete()
            changed = taken[0] > 0
        if changed:
            audit.record(
                actor=by,
                act="role.changed",
                object_kind="user",
                object_id=user.pk,
                object_name=user.username,
                reason=reason,
                details={"role": role.value, "held": held},
            )
    return changed


def holders(verb: str, most: int = 5) -> list[str]:
    """Return the names of people who may do `verb`, at most so many: whom to ask. Raises KeyError
    for an unknown verb."""
    bindings = RoleBinding.objects.filter(role__in=VERBS[verb], scope="*", user__is_active=True)
    names = bindings.order_by("user__username").values_list("user__username", flat=True)
    return list(names.distinct()[:most])
