"""The pages for a first use, followed in a browser on a running product, as they say it.

Names of buttons, links and headings are those of the page (`tests.docs_words`): whoever renames one in
the console, or in the page, finds it here. What of a page is not met on the way is named below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.docs_words import Walk
from tests.product import Product

pytestmark = pytest.mark.slow

AGENTS = 40
PATIENCE_MS = 120_000
# Told by a page, not met on this way: states and acts of rollouts that go wrong in other ways.
NOT_MET = {
    "reading-a-gate.md": {
        *("Close to limit", "Failing", "Inconclusive", "Not enough yet", "Overridden", "Override"),
        *("the same agents before", "agents that do not change now", "guards"),
    },
    "first-rollback.md": {"Ask stragglers again", "Rollback incomplete"},
}


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "data", agents=AGENTS)
    product.start(patience_s=240.0)
    try:
        product.wait_connected(patience_s=240.0)
        yield product
    finally:
        product.stop()


class Person:
    """A browser of one of the demo's people, who does what a page says."""

    def __init__(self, chromium: Browser, product: Product, role: str) -> None:
        context = chromium.new_context(
            base_url=product.url, viewport={"width": 1280, "height": 900}
        )
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.goto("/login/")
        person = product.credentials["users"][role]
        self.page.fill("#user", person["username"])
        self.page.fill("#pw", person["password"])
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "/login/" not in url)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def opens(self, walk: Walk, address: str) -> None:
        self.page.goto(walk.says(address))
        expect(self.main).to_be_visible()

    def control(self, walk: Walk, word: str, within: Locator | None = None) -> Locator:
        """Return the button, or the link, that the page calls so."""
        place, name = within or self.main, named(walk.says(word))
        return (
            place.get_by_role("button", name=name).or_(place.get_by_role("link", name=name)).first
        )

    def presses(self, walk: Walk, word: str) -> None:
        self.control(walk, word).click()

    def reads(self, walk: Walk, word: str) -> None:
        found = self.main.get_by_text(re.compile(re.escape(walk.says(word)), re.IGNORECASE))
        expect(found.first).to_be_attached(timeout=PATIENCE_MS)

    def state(self, walk: Walk, word: str) -> None:
        """Wait until the title of a rollout says this state."""
        said = re.compile(re.escape(walk.says(word)), re.IGNORECASE)
        expect(self.page.locator(".title .pill")).to_have_text(said, timeout=PATIENCE_MS)


def named(word: str) -> re.Pattern[str]:
    """Return what a control of this name is called: any number, and dots when more is asked."""
    return re.compile(rf"^[\s·]*{re.sub(r'[0-9]+', '[0-9,]+', re.escape(word))}…?\s*$")


def chooses(person: Person, selector: str, plan: str) -> None:
    person.page.fill("#q", selector)
    person.page.locator("select[name=plan]").select_option(plan)
    total = person.page.locator("#preview .total b")
    expect(total).to_have_text(str(AGENTS), timeout=PATIENCE_MS)


def first_rollout(operator: Person, approver: Person, rollback: Walk, gate: Walk) -> None:
    walk = Walk.of("first-rollout.md")
    operator.page.goto("/")
    expect(operator.main).to_contain_text("edge")
    operator.opens(walk, "/rollouts/new/")
    expect(operator.page.get_by_label(walk.says("Selector"), exact=True)).to_be_visible()
    operator.opens(walk, "/configs/edge/")
    operator.reads(walk, "Versions")
    operator.main.get_by_role("link", name=re.compile("^v2")).first.click()
    operator.presses(walk, "Roll out v2")
    chooses(operator, "*", "quick")
    operator.presses(walk, "Save draft")
    expect(operator.main).to_contain_text("Draft saved")
    expect(operator.control(walk, "readiness")).to_be_visible()
    operator.presses(walk, "Review and start")
    operator.presses(walk, "Start rollout to 200 agents")
    operator.reads(walk, "Agents")
    operator.reads(walk, "Applying")
    expect(operator.control(gate, "Advance now")).to_be_visible(timeout=PATIENCE_MS)
    operator.state(walk, "needs approval")
    operator.reads(walk, "Applied")
    asks_to_stop(operator, rollback)
    approver.opens(walk, "/approvals/")
    approver.presses(walk, "Approve 140 agents")
    dialog = approver.page.get_by_role("dialog")
    dialog.get_by_role("button", name=named("Approve 28 agents")).click()
    expect(approver.main).to_contain_text("is approved")
    operator.state(walk, "Completing")
    operator.state(walk, "Succeeded")
    expect(operator.control(walk, "All events")).to_be_visible()
    operator.presses(walk, "All events")
    for form in ("CSV", "JSON", "Text"):
        expect(operator.main.get_by_role("link", name=form)).to_be_visible()
    operator.opens(walk, "/rollouts/")
    expect(operator.main.get_by_role("row").filter(has_text="R-0001")).to_contain_text("Succeeded")
    assert walk.unused == set()


def asks_to_stop(operator: Person, walk: Walk) -> None:
    """Open the dialog that ends a running rollout, and leave it."""
    operator.presses(walk, "Abort and roll back")
    dialog = operator.page.get_by_role("dialog")
    expect(dialog.get_by_text(walk.says("Stop and leave them as they are"))).to_be_visible()
    expect(dialog.locator("#reason")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def reading_a_gate(operator: Person, walk: Walk) -> None:
    operator.page.goto("/rollouts/1/")
    for word in ("Failure rate", "Passing", "limit", "No data"):
        operator.reads(walk, word)
    evidence = operator.page.locator("details").filter(has_text=walk.says("Evidence")).first
    evidence.locator("summary").click()
    expect(operator.control(walk, "Copy", evidence)).to_be_visible()
    for form in ("CSV", "JSON"):
        expect(evidence.get_by_role("link", name=form)).to_be_visible()
    operator.opens(walk, "/help/metrics/")
    operator.page.goto("/plans/quick/")
    expect(operator.control(walk, "Back-test")).to_be_visible()
    assert walk.unused == NOT_MET[walk.name]


def first_rollback(operator: Person, walk: Walk) -> None:
    operator.page.goto("/rollouts/1/")
    operator.presses(walk, "Roll back")
    dialog = operator.page.get_by_role("dialog")
    expect(dialog.locator("#reason")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    operator.opens(walk, "/rollbacks/new/")
    operator.page.fill("#q", "*")
    expect(operator.page.locator("#preview")).to_contain_text("edge v2")
    operator.page.goto("/rollouts/new/?config=edge&version=3")
    chooses(operator, "*", "quick")
    operator.page.get_by_role("button", name="Review and start…").click()
    operator.page.get_by_role("button", name=named(f"Start rollout to {AGENTS} agents")).click()
    rolling = re.compile(f"{walk.says('Rolling back')}|Rolled back")  # it may be over at once
    expect(operator.page.locator(".title .pill")).to_have_text(rolling, timeout=PATIENCE_MS)
    operator.state(walk, "Rolled back")
    operator.reads(walk, "What next")
    operator.presses(walk, "All events")
    operator.reads(walk, "Recovery")
    expect(operator.control(walk, "Share…")).to_be_visible()
    operator.opens(walk, "/settings/quarantine/")
    expect(operator.main).to_contain_text("edge v3")
    assert walk.unused == NOT_MET[walk.name]


def test_the_pages_for_a_first_use_can_be_followed(product: Product, chromium: Browser) -> None:
    operator, approver = (Person(chromium, product, role) for role in ("operator", "approver"))
    rollback, gate = Walk.of("first-rollback.md"), Walk.of("reading-a-gate.md")
    first_rollout(operator, approver, rollback, gate)
    reading_a_gate(operator, gate)
    first_rollback(operator, rollback)
