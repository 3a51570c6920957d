"""Writes down every text change of a rollout's page during both tours of the README, for a person to
read: a version that passes, and one that comes back by itself.

    python -m tests.browser.record_tours LOG [AGENTS]

Each line: seconds since the start, region, what it says now. All changes of one instant stand
together: what contradicts itself there is wrong.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.product import FINAL_STATES, Product, running, wait_for

WATCH = """() => {
    const text = (one) => one ? one.textContent.replace(/\\s+/g, " ").trim() : "";
    const regions = () => {
        const found = { pill: text(document.querySelector(".title .pill")), title: document.title, messages: text(document.getElementById("messages")) };
        document.querySelectorAll(".phase-track .phase").forEach((one) => { found[`phase ${text(one.querySelector(".name"))}`] = text(one); });
        found["way back"] = text(document.querySelector("[id^=way-back-]"));
        const why = document.querySelector("main .why-line");
        if (why) {
            const bare = why.cloneNode(true);
            bare.querySelectorAll("[data-deadline]").forEach((one) => one.remove());
            found.why = `[${why.className.replace("why-line ", "")}] ${text(bare)}`;
        }
        found["gates"] = text(document.querySelector("#h-gates"));
        document.querySelectorAll(".gate .reading").forEach((one) => {
            const bare = one.cloneNode(true);
            bare.querySelectorAll("time, .axis").forEach((time) => time.remove());
            found[`gate ${text(one.querySelector("h3"))}`] = text(bare);
        });
        found.legend = text(document.querySelector("[id^=legend-]"));
        const grid = {};
        document.querySelectorAll(".agent-grid use").forEach((one) => { const kind = one.getAttribute("href").slice(3); grid[kind] = (grid[kind] || 0) + 1; });
        found.grid = JSON.stringify(grid);
        found.events = [...document.querySelectorAll("[id^=events-] li")].map((one) => { const bare = one.cloneNode(true); return text(bare); }).slice(0, 3).join(" || ");
        found.acts = text(document.getElementById("acts"));
        return found;
    };
    let before = {};
    const look = () => {
        const now = regions(), changed = [];
        for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
            if (before[name] !== now[name]) changed.push([name, now[name] ?? "(gone)"]);
        }
        before = now;
        if (changed.length) window.wrote(changed);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


class Log:
    """Lines of a tour, flushed as they come."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        self._page: Page | None = None

    def head(self, text: str) -> None:
        self._file.write(f"\n## {text}\n")
        self._file.flush()

    def watch(self, page: Page, path: str, product: Product) -> None:
        """Open a page and write down what it says from then on."""
        start = time.time()

        def wrote(_source: Any, changed: list[list[str]]) -> None:
            at = time.time() - start
            for name, said in changed:
                self._file.write(f"{at:7.2f}  {name}: {said}\n")
            self._file.write("\n")
            self._file.flush()

        page.expose_binding("wrote", wrote)
        page.goto(f"{product.url}{path}")
        page.evaluate(WATCH)


def _signed_in(context: BrowserContext, product: Product, role: str) -> Page:
    person = product.credentials["users"][role]
    page = context.new_page()
    page.goto(f"{product.url}/login/")
    page.fill("#user", person["username"])
    page.fill("#pw", person["password"])
    page.click("button[type=submit]")
    page.wait_for_url(lambda found: "/login/" not in found)
    return page


def _tour(log: Log, product: Product, context: BrowserContext, version: int) -> None:
    log.head(f"Version {version}")
    page = _signed_in(context, product, "operator")
    rollout = product.start_rollout(version, "quick")
    log.watch(page, f"/rollouts/{rollout}/", product)

    def over() -> bool | None:
        found = product.rollout(rollout)
        for phase in found["phases"]:
            if phase["state"] == "awaiting_approval":
                page.wait_for_timeout(3000)
                product.act(
                    "approver", f"rollouts/{rollout}/approve", json={"phase": phase["name"]}
                )
        page.wait_for_timeout(200)
        return True if found["state"] in FINAL_STATES else None

    wait_for(over, 300, lambda: product.explain(rollout), every_s=0.1)
    page.wait_for_timeout(6000)
    page.screenshot(path=f"{log._file.name}.v{version}.png", full_page=True)
    page.close()


def main(to: str, agents: str = "200") -> None:
    """Run the product with a fleet of its own, and both tours."""
    log = Log(Path(to))
    data = Path(tempfile.mkdtemp(prefix="tours"))
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with running(data, agents=int(agents)) as product, sync_playwright() as playwright:
        product.wait_connected()
        browser = playwright.chromium.launch(executable_path=path)
        for version in (2, 3):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            _tour(log, product, context, version)
            context.close()
        browser.close()
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
