"""What a person chooses for their own pages."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.console.pages.markup import markup
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
FORM = {"theme": "dark", "time_zone": "Europe/Berlin"}


def test_single_keys_can_be_switched_off_and_on() -> None:
    client = sign_in("lin", "viewer")
    assert 'data-keys="off"' not in markup(client.get("/"))
    assert client.post("/settings/profile/", FORM).status_code == 303
    assert 'data-keys="off"' in markup(client.get("/audit/"))
    client.post("/settings/profile/", {**FORM, "single_keys": "on"})
    assert User.objects.get(username="lin").single_keys
    assert 'data-keys="off"' not in markup(client.get("/audit/"))


def test_rows_can_be_low() -> None:
    client = sign_in("lin", "viewer")
    assert 'data-rows="compact"' not in markup(client.get("/audit/"))
    client.post("/settings/profile/", {**FORM, "compact_rows": "on"})
    assert 'data-rows="compact"' in markup(client.get("/audit/"))


def test_sign_ins_whose_sessions_can_be_open_are_listed_with_their_address() -> None:
    client = sign_in("lin", "viewer")
    page = markup(client.get("/settings/profile/"))
    assert "None began lately but this one." in page
    assert "each ends 12 h after its sign-in" in page
