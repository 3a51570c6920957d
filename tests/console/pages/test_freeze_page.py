"""The form of freeze windows: what is typed is local to the zone of the window."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from rollouts.models import FreezeWindow
from tests.console.pages.markup import markup
from tests.make.people import make_user, sign_in

pytestmark = pytest.mark.django_db


def save(**typed: str) -> str:
    given = {"name": "holidays", "reason": "rest", "time_zone": "Europe/Berlin", **typed}
    answer = sign_in("ada", "admin").post(reverse("settings:freeze"), given)
    return answer.content.decode() if answer.status_code == 422 else ""


def test_ends_are_local_to_the_zone_of_the_window() -> None:
    assert save(starts_at="2026-12-24T18:00", ends_at="2027-07-01T06:00") == ""
    window = FreezeWindow.objects.get()
    assert window.starts_at == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert window.ends_at == datetime(2027, 7, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_at", "words"),
    [
        ("2026-10-25T02:30", "comes twice on that day"),
        ("2026-03-29T02:30", "is skipped by the clocks"),
        ("2026-06-01T10:00+05:00", "disagree"),
        ("soon", "is not a time"),
    ],
)
def test_what_names_no_moment_is_refused_in_words(starts_at: str, words: str) -> None:
    assert words in save(starts_at=starts_at, ends_at="2027-01-02T06:00")
    assert not FreezeWindow.objects.exists()


@pytest.mark.parametrize("kind", ["freeze", "budgets", "guards", "retirement"])
def test_who_may_not_change_a_limit_sees_the_form_and_whom_to_ask(kind: str) -> None:
    make_user("ada", "admin")
    page = markup(sign_in("oona", "operator").get(reverse(f"settings:{kind}")))
    assert '<fieldset class="stack" disabled aria-describedby="may-not">' in page
    assert "Needs the role admin" in page
    assert "Administrators: ada." in page


@pytest.mark.parametrize("kind", ["freeze", "budgets", "guards", "retirement"])
def test_an_admin_can_write_in_it(kind: str) -> None:
    page = markup(sign_in("ada", "admin").get(reverse(f"settings:{kind}")))
    assert '<fieldset class="stack" >' in page
    assert "may-not" not in page
