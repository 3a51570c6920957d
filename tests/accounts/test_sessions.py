"""All sessions of a person but one are ended at once; nobody else's are touched."""

from __future__ import annotations

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils.crypto import salted_hmac

from accounts.actor import Actor
from accounts.models import AuditEvent, User
from accounts.sessions import end_sessions
from console.live.consumers import allowed
from tests.make.people import make_user

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/profile/").status_code == 200


def test_the_session_that_asks_goes_on_and_the_others_are_over() -> None:
    lin, other = make_user("lin", "viewer"), signed_in(make_user("vera", "viewer"))
    mine, elsewhere = signed_in(lin), signed_in(lin)
    assert mine.post("/settings/profile/end-others/").status_code == 303
    assert (is_in(mine), is_in(elsewhere), is_in(other)) == (True, False, True)
    event = AuditEvent.objects.get(act="sessions.end")
    assert (event.actor_name, event.object_name) == ("lin", "lin")


def test_a_live_feed_of_an_ended_session_is_over_too() -> None:
    lin = make_user("lin", "viewer")
    client = signed_in(lin)
    key, user_id = client.session.session_key, int(client.session[SESSION_KEY])
    assert allowed(key, user_id, ["nav"]) == ["nav"]
    end_sessions(user=lin, by=Actor.of(lin))
    assert allowed(key, user_id, ["nav"]) is None


def test_who_signs_in_afterwards_is_in() -> None:
    lin = make_user("lin", "viewer")
    end_sessions(user=lin, by=Actor.of(lin))
    assert is_in(signed_in(User.objects.get(pk=lin.pk)))


def test_sessions_from_before_the_first_time_stay() -> None:
    """The epoch is no part of what a session carries until it has begun."""
    salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
    lin = make_user("lin", "viewer")
    plain = salted_hmac(salt, lin.password, algorithm="sha256").hexdigest()
    assert lin.get_session_auth_hash() == plain
    lin.session_epoch = 1
    assert lin.get_session_auth_hash() != plain
