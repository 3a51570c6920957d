"""The first page of a demo says what to try next, what the fleet runs, and how to be a second person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from console.pages.fleet.tour import kept_in, steps_done
from rollouts.models import ConfigVersion, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

PASSED = ("passed", "passed", "passed")


@pytest.mark.parametrize(
    ("rollouts", "approved", "done"),
    [
        ({}, set(), set()),
        ({1: (2, "running")}, set(), {"roll_out"}),
        ({1: (2, "running")}, {1}, {"roll_out", "approve"}),
        ({1: (2, "succeeded")}, set(), {"roll_out", "approve"}),
        ({1: (3, "rolling_back")}, set(), {"break"}),
        ({1: (3, "running")}, set(), set()),
        ({1: (2, "succeeded"), 2: (3, "rolled_back")}, {1}, {"roll_out", "approve", "break"}),
    ],
)
def test_steps_are_done_by_what_rollouts_did(
    rollouts: dict[int, tuple[int, str]], approved: set[int], done: set[str]
) -> None:
    assert {step.value for step in steps_done(rollouts, approved)} == done


@pytest.fixture
def demo(settings: Any, db: None) -> None:
    settings.DEMO = True
    [one, *_rest] = make_config("edge", 3)
    make_fleet(3, running=one.config_hash)


def first_page(*roles: str) -> str:
    return markup(sign_in("oona", *roles).get("/"))


def test_at_first_it_says_what_the_fleet_runs_and_how_to_begin(demo: None) -> None:
    page = first_page("operator")
    assert "The fleet runs edge v1." in page
    assert "You are oona." in page
    assert "/rollouts/new/?config=edge&amp;version=2&amp;plan=quick&amp;q=*" in page
    assert "Open a private window" in page
    assert f"<code>{kept_in()}</code>" in page


def test_the_address_of_the_first_step_fills_the_form(demo: None) -> None:
    client = sign_in("oona", "operator")
    answer = client.get("/rollouts/new/?config=edge&version=2&plan=quick&q=*")
    given = answer.context["form"].given
    assert (given.config, given.version, given.plan, given.selector) == ("edge", "2", "quick", "*")


def test_who_may_not_start_is_told_who_may(demo: None) -> None:
    page = first_page("approver")
    assert "Sign in as operator for this." in page
    assert "that is you." in page


def test_what_is_done_is_marked_and_what_came_back_is_shown(demo: None) -> None:
    back = [make_rollout_of(2, "succeeded"), make_rollout_of(3, "rolled_back")][1]
    page = first_page("operator")
    assert page.count("done</span>") == 3
    assert f'href="/rollouts/{back.pk}/timeline/"' in page
    assert 'id="tour" >' in page  # folded: nothing is left but to look


def make_rollout_of(number: int, state: str) -> Rollout:
    version = ConfigVersion.objects.get(config__name="edge", number=number)
    return make_rollout(version, state=state, phases=PASSED)


@pytest.mark.django_db
def test_elsewhere_there_is_no_tour() -> None:
    make_fleet(1)
    assert 'id="tour"' not in first_page("operator")


def test_the_place_of_the_passwords_is_seen_from_the_directory_of_the_program(
    settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = Path(configured.BASE_DIR) / "var"
    assert kept_in() == "var/credentials.json"
    settings.DATA_DIR = tmp_path
    assert kept_in() == str(tmp_path / "credentials.json")


def test_the_sign_in_page_says_what_this_is_and_who_there_is(demo: None) -> None:
    page = markup(Client().get("/login/"))
    assert "fleets of OpenTelemetry collectors" in page
    assert "sign in as operator, author, approver or admin" in page
    assert 'data-show="#pw"' in page


@pytest.mark.django_db
def test_the_sign_in_page_of_a_real_installation_names_nobody() -> None:
    page = markup(Client().get("/login/"))
    assert "operator" not in page
    assert "credentials" not in page
