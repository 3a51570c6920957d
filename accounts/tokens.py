"""API tokens of people: made, revoked (security.md R39). Tokens of agents are in `agents.actions`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.models import ApiToken, User
from accounts.policy import require
from console.lib.problems import Invalid, Missing

LONGEST = timedelta(days=365)


def issue_api_token(
    *, username: str, name: str, life: timedelta, by: Actor, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token that acts with this person's rights. The second value is the secret, never
    available again. Raises Denied, Missing, Invalid."""
    require(by, "people.write")
    if not timedelta() < life <= LONGEST:
        raise Invalid("tokens.bad_life", most=LONGEST.days)
    with transaction.atomic():
        owner = User.objects.filter(username=username).first()
        if owner is None:
            raise Missing("people.no_user", username=username)
        token, secret = ApiToken.issue(owner=owner, name=name, expires_at=now + life)
        _record("token.created", token, by)
    return token, secret


def revoke_api_token(*, token_id: int, by: Actor, now: datetime) -> ApiToken:
    """Revoke a token: its next request is a 401. Raises Denied, Missing."""
    require(by, "people.write")
    with transaction.atomic():
        locked = ApiToken.objects.select_related("owner").select_for_update(
            of=("self",), no_key=True
        )
        token = locked.filter(pk=token_id).first()
        if token is None:
            raise Missing("tokens.missing")
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            _record("token.revoked", token, by)
    return token


def _record(act: str, token: ApiToken, by: Actor) -> None:
    audit.record(
        actor=by,
        act=act,
        object_kind="api_token",
        object_id=token.pk,
        object_name=token.name,
        details={"owner": token.owner.username},
    )
