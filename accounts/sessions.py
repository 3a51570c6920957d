"""A person's sessions in browsers: ended all at once, by an epoch that each of them must carry.

Sessions are not listed by person anywhere, so none is looked for: a session that carries another epoch
is over with its next request, and its live feed within a minute.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.actor import Actor
from accounts.models import User


def end_sessions(*, user: User, by: Actor) -> User:
    """End every session of a person; return the person, from whom a session that goes on is renewed."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
        audit.record(
            actor=by,
            act="sessions.end",
            object_kind="user",
            object_id=user.pk,
            object_name=user.get_username(),
        )
    user.refresh_from_db(fields=["session_epoch"])
    return user
