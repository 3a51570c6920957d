"""The agents list in a browser: facets and text are one filter, and the URL is the state."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.world import make_world


def test_a_facet_writes_the_selector_and_the_url(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer")
    page.goto("/agents/")
    page.locator("#agent-facets").get_by_label("r1").check()
    expect(page.locator("#q")).to_have_value("region=r1")
    expect(page.locator("#agent-facts")).to_contain_text("13 match")
    assert "q=region%3Dr1" in page.url


def test_a_selector_that_cannot_be_read_leaves_the_list_alone(
    open_page: Callable[..., Page],
) -> None:
    make_world()
    page = open_page("vera", "viewer")
    page.goto("/agents/")
    rows = page.locator("#agent-table tbody tr").count()
    page.fill("#q", "region in (")
    page.keyboard.press("Enter")
    expect(page.locator("#selector-error .caret")).to_be_visible()
    assert page.locator("#agent-table tbody tr").count() == rows
    expect(page.locator("#q")).to_have_value("region in (")


def test_the_back_button_brings_the_old_filter_back(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer")
    page.goto("/agents/")
    page.fill("#q", "region=r1")
    page.keyboard.press("Enter")
    expect(page.locator("#agent-facts")).to_contain_text("13 match")
    page.go_back()
    expect(page.locator("#agent-facts")).to_contain_text("40 agents")


def test_rows_are_picked_and_counted(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer")
    page.goto("/agents/")
    expect(page.locator(".bulk")).to_be_hidden()
    page.locator("tbody input[name=id]").nth(1).check()
    expect(page.locator(".bulk [data-picked]")).to_have_text("1")
    page.locator("thead input").check()
    expect(page.locator(".bulk [data-picked]")).to_have_text("40")


def test_the_list_works_without_javascript(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer", js=False)
    page.goto("/agents/")
    page.fill("#q", "region=r2")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#agent-facts")).to_contain_text("13 of 40 match")
