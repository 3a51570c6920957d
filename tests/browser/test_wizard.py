"""The form of a new rollout by keyboard, and the editor of a version: nothing is saved by accident."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from rollouts.models import ConfigVersion, Rollout
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Page]


def fleet() -> list[ConfigVersion]:
    versions = make_config("edge", 2)
    make_fleet(20, running=versions[0].config_hash)
    return versions


def focused(page: Page, selector: str) -> bool:
    return bool(page.evaluate("s => document.activeElement.matches(s)", selector))


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_enter_in_a_field_counts_again_and_saves_nothing(open_page: Open, js: bool) -> None:
    fleet()
    page = open_page("op", "operator", js=js)
    page.goto("/rollouts/new/")
    page.fill("#q", "region=r1")
    page.press("#q", "Enter")
    expect(page.locator("#wizard-who")).to_contain_text("7 match")
    page.press("#title", "Enter")
    expect(page.locator("#wizard-who")).to_contain_text("7 match")
    assert "/rollouts/new/" in page.url
    assert not Rollout.objects.exists()


def test_the_focus_moves_to_what_was_refused(open_page: Open) -> None:
    fleet()
    page = open_page("op", "operator")
    page.goto("/rollouts/new/?q=env%3D")
    page.click("button[value=draft]")
    expect(page.locator(".error-summary")).to_be_visible()
    assert focused(page, ".error-summary")
    page.click(".error-summary a")
    assert focused(page, "#q")


def test_a_dialog_that_refused_focuses_the_field(open_page: Open) -> None:
    versions = fleet()
    rollout = make_rollout(versions[1])
    page = open_page("op", "operator")
    page.goto(f"/rollouts/{rollout.pk}/")
    page.click("a[href$='/advance/']")
    page.fill("dialog #reason", "short")
    page.click("dialog button[type=submit]")
    expect(page.locator("dialog #reason-e")).to_be_visible()
    assert focused(page, "#reason")


def test_a_draft_is_edited_and_discarded(open_page: Open) -> None:
    fleet()
    page = open_page("op", "operator")
    page.goto("/rollouts/new/?q=env%3Dprod")
    page.click("button[value=draft]")
    page.click("text=Edit")
    page.fill("#q", "region=r2")
    expect(page.locator("#wizard-who")).to_contain_text("6 match")
    page.click("button[value=draft]")
    expect(page.locator("main")).to_contain_text("region=r2")
    page.click("a[href$='/discard/']")
    page.click("dialog button[type=submit]")
    expect(page.locator("main")).to_contain_text("Never started")
    assert Rollout.objects.get().shown_state == "never_started"


def test_a_text_is_checked_when_it_is_left_and_numbered(open_page: Open) -> None:
    fleet()
    page = open_page("lin", "author")
    page.goto("/configs/edge/edit/")
    expect(page.locator(".gutter")).to_contain_text("11")
    page.fill("#text", "receivers: {otlp: }\nexportrs: {}\n")
    page.locator("#message").click()
    expect(page.locator("#checked")).to_contain_text("did you mean exporters?")
    expect(page.locator("#checked")).to_contain_text("Changes against v1")
    page.press("#message", "Enter")
    expect(page.locator("#in_spite")).to_be_visible()
    assert ConfigVersion.objects.count() == 2
    page.click("button[value=save]")
    expect(page.locator(".error-summary")).to_be_visible()
    page.fill("#in_spite", "edge")
    page.click("button[value=save]")
    page.wait_for_url("**/diff/**")
    assert ConfigVersion.objects.count() == 3
