"""The pages of plans: drawn tracks, a copy under its own name, errors once and with their lines."""

from __future__ import annotations

from typing import Any

import pytest

from console.pages.plans.views import renamed
from rollouts.models import Plan
from tests.console.pages.markup import markup
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
WRONG = "name: mine\nphases:\n  - name: a\n    weight: 10\n    duration: 5\n"


def page(url: str, role: str = "author") -> str:
    return markup(sign_in(f"one-{role}", role).get(url))


def test_each_plan_is_drawn_with_its_time_and_gates_are_said_once() -> None:
    text = page("/plans/", "viewer")
    drawn = text.split('id="h-', 1)[1]
    assert text.count('<ol class="plan-track"') == Plan.objects.count()
    assert "15 min" in drawn
    assert "asks for approval" in drawn
    standard = text.split('href="/plans/standard/"', 1)[1].split("</section>", 1)[0]
    assert standard.count("Failure rate &lt; 1 %") == 1


def test_a_copy_has_a_name_of_its_own_in_form_and_text() -> None:
    text = page("/plans/new/?from=standard")
    assert 'value="standard-copy"' in text
    assert "name: standard-copy" in text
    assert "name: standard\n" not in text


def test_a_second_copy_has_another_name() -> None:
    client = sign_in("amy", "author")
    first = client.get("/plans/new/?from=quick")
    saved = client.post("/plans/new/", {"name": "quick-copy", "text": first.context["text"]})
    assert saved.status_code == 303
    assert client.get("/plans/new/?from=quick").context["name"] == "quick-copy-2"
    assert client.get("/plans/new/?from=quick-copy").context["name"] == "quick-copy-copy"


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("name: a\nphases:\n  - name: b\n", "name: mine\nphases:\n  - name: b\n"),
        ("# a plan\nname:   a # old\n", "# a plan\nname:   mine\n"),
        ("phases:\n  - name: b\n", "phases:\n  - name: b\n"),
        ("", ""),
    ],
)
def test_only_the_plans_own_name_changes(text: str, becomes: str) -> None:
    assert renamed(text, "mine") == becomes


@pytest.mark.parametrize("url", ["/plans/new/", "/plans/standard/backtest/"])
def test_errors_stand_once_and_lead_to_their_lines(url: str) -> None:
    answer = sign_in("amy", "author").post(url, {"name": "mine", "text": WRONG})
    text = markup(answer)
    assert answer.status_code == 422
    assert "2 errors" in text
    for line in (4, 5):
        assert text.count(f'<a href="#text" data-line="{line}">') == 1
    assert "(and 1 more)" not in text
    assert WRONG in answer.context["text"]


def test_a_name_that_cannot_be_one_is_said_without_a_line() -> None:
    typed: dict[str, Any] = {"name": "no name", "text": "name: x\n"}
    text = markup(sign_in("amy", "author").post("/plans/new/", typed))
    assert "The plan is not saved:" in text
    assert "data-line" not in text


def test_a_check_draws_the_plan_and_saves_nothing() -> None:
    client = sign_in("amy", "author")
    text = client.get("/plans/new/?from=quick").context["text"]
    answer = client.post("/plans/new/", {"name": "quick-copy", "text": text, "act": "check"})
    assert answer.status_code == 200
    assert "it is not saved yet" in markup(answer)
    assert '<ol class="plan-track"' in markup(answer)
    assert not Plan.objects.filter(name="quick-copy").exists()


def test_enter_in_the_name_checks_and_never_saves() -> None:
    text = page("/plans/new/")
    before_the_name = text.split('id="name"', 1)[0].rsplit("<form", 1)[1]
    assert 'value="check"' in before_the_name
    assert 'value="save"' not in before_the_name
