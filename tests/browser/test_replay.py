"""A replay and a chart by keyboard, in a browser: on a rollout that was really driven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from rollouts.actions.start import start
from rollouts.models import Rollout
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet


def driven() -> Rollout:
    fleet = Fleet(12)
    fleet.now = timezone.now() - timedelta(seconds=60)
    draft = fleet.draft(CANARY_THEN_ALL)
    fleet.now += timedelta(seconds=5)
    rollout = start(rollout_id=draft.pk, by=fleet.operator, now=fleet.now)
    fleet.run(45)
    assert Rollout.objects.get(pk=rollout.pk).state == "succeeded"
    return rollout


def test_the_slider_goes_through_a_rollout_by_keyboard(open_page: Callable[..., Page]) -> None:
    rollout = driven()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{rollout.pk}/replay/")
    slider = page.get_by_role("slider", name="Moment of the rollout")
    pill = page.locator("#then .replay-state .pill")
    expect(pill).to_have_text("Succeeded")
    slider.focus()
    slider.press("Home")
    expect(pill).to_have_text("Draft")
    expect(page.locator("[data-said]")).to_contain_text("Drafted")
    slider.press("Shift+ArrowRight")
    expect(pill).to_contain_text("Canary")
    expect(slider).to_be_focused()
    assert slider.get_attribute("aria-valuetext")
    assert "?at=" in page.url
    page.reload()
    expect(page.locator("#then .replay-state .pill")).to_contain_text("Canary")
    slider.press("End")
    expect(pill).to_have_text("Succeeded")
    expect(page.locator("[data-to=after]")).to_have_attribute("aria-disabled", "")


def test_play_goes_on_by_itself_and_can_be_paused(open_page: Callable[..., Page]) -> None:
    rollout = driven()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{rollout.pk}/replay/?step=0")
    page.get_by_role("button", name="Play").click()
    slider = page.get_by_role("slider", name="Moment of the rollout")
    expect(slider).not_to_have_value("0", timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    stopped = slider.input_value()
    page.wait_for_timeout(3_000)
    expect(slider).to_have_value(stopped)


def test_a_replay_works_without_a_script(open_page: Callable[..., Page]) -> None:
    rollout = driven()
    page = open_page("vera", "viewer", js=False)
    page.goto(f"/rollouts/{rollout.pk}/replay/")
    page.get_by_role("link", name="Earlier").click()
    page.get_by_role("link", name="Previous event").click()
    expect(page.locator("#then")).to_be_visible()
    page.get_by_role("button", name="Show this moment").click()
    page.wait_for_url("**/replay/?step=*")


def test_the_readings_of_a_chart_are_read_by_keyboard(open_page: Callable[..., Page]) -> None:
    rollout = driven()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{rollout.pk}/")
    chart = page.get_by_role("group", name="Readings of Failure rate").first
    chart.focus()
    said = chart.locator(".readout")
    expect(said).to_contain_text("0 % · 10 agents")
    newest = said.inner_text()
    chart.press("ArrowLeft")
    expect(said).not_to_have_text(newest)
    chart.press("End")
    expect(said).to_have_text(newest)
    chart.press("Escape")
    expect(said).to_have_text("")


def test_the_list_of_readings_opens_beside_the_chart(open_page: Callable[..., Page]) -> None:
    rollout = driven()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{rollout.pk}/")
    tile = page.locator("article.gate").filter(has_text="Gate").first
    tile.get_by_text("Evidence").click()
    expect(tile.get_by_role("table", name="Readings of Failure rate")).to_be_visible()
