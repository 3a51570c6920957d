"""The walk of the README as a person takes it, in a real browser on a real product: start a version
from the first page, approve it as a second person. Used to record the pages and to take pictures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.product import Product

ROLLOUT = re.compile(r"/rollouts/(\d+)/$")
PATIENCE_MS = 240_000


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a Chromium that is closed at the end."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path)
        yield found
        found.close()


def sign_in(context: BrowserContext, product: Product, role: str) -> Page:
    """Sign one of the demo's people in; return their first page."""
    person = product.credentials["users"][role]
    page = context.new_page()
    page.goto(f"{product.url}/login/")
    page.fill("#user", person["username"])
    page.fill("#pw", person["password"])
    page.click("button[type=submit]")
    page.wait_for_url(lambda found: "/login/" not in found)
    return page


def review(page: Page, version: int) -> None:
    """Go from the first page to the review of a rollout of a version to every agent, plan quick."""
    page.goto("/".join(page.url.split("/")[:3]) + "/")
    if not page.locator("#tour[open]").count():
        page.locator("#tour > summary").click()
    page.locator(f'#tour a[href*="version={version}&"]').click()
    page.wait_for_url("**/rollouts/new/**")
    page.locator("#preview .total b").wait_for()
    page.get_by_role("button", name="Review and start…").click()
    page.get_by_role("heading", name="What happens").wait_for()


def start(page: Page) -> int:
    """Press the button of a review; return the id of the rollout that has started."""
    page.get_by_role("button", name=re.compile("^Start rollout to ")).click()
    page.wait_for_url(ROLLOUT)
    found = ROLLOUT.search(page.url)
    assert found is not None
    return int(found[1])


def wait_pill(page: Page, words: str) -> None:
    """Wait until the head of a rollout's page says something."""
    page.locator(".title .pill", has_text=re.compile(words)).wait_for(timeout=PATIENCE_MS)


def approve(page: Page, product: Product) -> None:
    """Approve what waits, from the inbox."""
    page.goto(f"{product.url}/approvals/")
    page.get_by_role("button", name=re.compile("^Approve .*agents?…$")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("#reason").fill("Canary and staging are well.")
    dialog.get_by_role("button", name=re.compile("^Approve")).click()
    page.locator(".banner", has_text="approved").first.wait_for()


def picture(page: Page, to: Path, *, whole: bool = True) -> None:
    """Keep what a page looks like."""
    page.screenshot(path=str(to), full_page=whole)
