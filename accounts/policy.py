"""Who may do what: one question, `can(actor, verb, obj)`, asked by every page, route and act.

The table is security.md section 6. Roles are unions; nothing is allowed by default. A binding's
scope is a selector on trusted labels; only "*" is judged so far, any other grants nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.models import Role, RoleBinding, User
from console.lib.problems import Denied
from console.lib.texts import Text, said, text

_READ = frozenset(Role.values)

# verb -> roles that hold it
VERBS: dict[str, frozenset[str]] = {
    "agents.view": _READ,
    "configs.view": _READ,
    "rollouts.view": _READ,
    "plans.view": _READ,
    "metrics.view": _READ,
    "audit.view": _READ,
    "configs.write": frozenset({Role.AUTHOR, Role.ADMIN}),
    "plans.write": frozenset({Role.AUTHOR, Role.ADMIN}),
    "selectors.write": frozenset({Role.AUTHOR, Role.ADMIN}),
    "rollouts.start": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.edit": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.discard": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.pause": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.resume": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.advance": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.abort": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.retry": frozenset({Role.OPERATOR, Role.ADMIN}),
    "rollouts.rollback": frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMIN}),
    "rollouts.share": frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMIN}),
    "rollouts.approve": frozenset({Role.APPROVER}),
    "rollouts.reject": frozenset({Role.APPROVER}),
    "rollouts.waive": frozenset({Role.APPROVER}),
    "needs.acknowledge": frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMIN}),
    "quarantine.add": frozenset({Role.OPERATOR, Role.ADMIN}),
    "quarantine.lift": frozenset({Role.APPROVER}),
    "agents.label": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.retire": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.restart": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.retry_config": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.settings": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.certificates": frozenset({Role.OPERATOR, Role.ADMIN}),
    "agents.authorities": frozenset({Role.ADMIN}),
    "certificates.approve": frozenset({Role.OPERATOR, Role.ADMIN}),
    "certificates.renew": frozenset({Role.OPERATOR, Role.ADMIN}),
    "certificates.revoke": frozenset({Role.OPERATOR, Role.ADMIN}),
    "certificates.pause": frozenset({Role.OPERATOR, Role.ADMIN}),
    "certificates.resume": frozenset({Role.OPERATOR, Role.ADMIN}),
    "policies.write": frozenset({Role.ADMIN}),
    "signing_keys.write": frozenset({Role.ADMIN}),
    "people.write": frozenset({Role.ADMIN}),
}
# A person must be in the room for these: tokens never hold them (security.md R36, R39).
PERSON_ONLY = frozenset(
    {"rollouts.approve", "rollouts.reject", "rollouts.waive", "quarantine.lift", "people.write"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to `can`: truthy when allowed, else with a sentence for the person."""

    allowed: bool
    says: Text | str = ""

    @property
    def why_not(self) -> str:
        """The sentence in the language of who reads it; "" when allowed."""
        return said(self.says)

    def __bool__(self) -> bool:
        return self.allowed


def roles_of(actor: Actor) -> frozenset[str]:
    """Return the roles a person holds everywhere; read once per Actor's user object."""
    if actor.user is None or not actor.user.is_active:
        return frozenset()
    cached = getattr(actor.user, "_tidegate_roles", None)
    if cached is None:
        bindings = RoleBinding.objects.filter(user=actor.user, scope="*")
        cached = frozenset(bindings.values_list("role", flat=True))
        actor.user._tidegate_roles = cached  # type: ignore[attr-defined]
    return cached


def holders_of(role: Role, most: int = 8) -> list[str]:
    """Return the names of people who hold a role everywhere: whom to ask."""
    people = User.objects.filter(is_active=True, role_bindings__role=role, role_bindings__scope="*")
    names = people.order_by("username").values_list("username", flat=True)
    return list(names.distinct()[:most])


def can(actor: Actor, verb: str, obj: object | None = None) -> Answer:
    """Answer whether `actor` may do `verb` to `obj`. Raises KeyError for an unknown verb.

    Rules that depend on the object's history (four eyes) are checked by the act itself, inside
    its transaction; they use `four_eyes` below.
    """
    holders = VERBS[verb]
    if actor.is_system:
        return Answer(True)
    if actor.token_name and verb in PERSON_ONLY:
        return Answer(False, text("policy.token_cannot"))
    if roles_of(actor) & holders:
        return Answer(True)
    needed = " or ".join(sorted(holders))
    return Answer(False, text("policy.needs_role", needed=needed))


def require(actor: Actor, verb: str, obj: object | None = None) -> None:
    """Raise Denied unless `can(actor, verb, obj)`."""
    answer = can(actor, verb, obj)
    if not answer:
        raise Denied(answer.says)


def four_eyes(actor: Actor, involved: frozenset[int]) -> Answer:
    """Answer whether a person who is not in `involved` (user ids of authors and starters) asks.

    Admins are not exempt (security.md R36).
    """
    if actor.user is None:
        return Answer(False, text("policy.person_must"))
    if actor.user.pk in involved:
        return Answer(False, text("policy.four_eyes"))
    return Answer(True)
