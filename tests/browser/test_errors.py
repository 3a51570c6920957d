"""What agents said, in a real browser: grouped, linked to its line, led to a rollout without them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.console.pages.test_said import make_failed


def test_the_failures_lead_to_their_line_and_to_a_rollout_without_them(
    open_page: Callable[..., Page],
) -> None:
    rollout = make_failed("processors::batch::send_batch_size: too many")
    page = open_page("vera", "operator")
    page.goto(f"/rollouts/{rollout.pk}/")
    block = page.locator("#errors")
    expect(block.locator(".said-groups > li")).to_have_count(1)
    block.get_by_role("link", name="Go on without them").click()
    expect(page.locator("main [name=q]")).to_have_value("env=prod,version notin (0.146.1)")
    page.goto(f"/rollouts/{rollout.pk}/")
    page.locator("#errors").get_by_role("link", name="line 6").click()
    expect(page.locator("#L6")).to_contain_text("send_batch_size: 200")
