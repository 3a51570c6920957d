"""Writes down every text change of a rollout's page while a person takes the walk of the README, for a
reviewer to read: a version that passes, and one that comes back by itself. Says how long each took.

    python -m tests.browser.record_tours LOG [AGENTS]

Each line: seconds since "Start" was pressed, region, what it says now. All changes of one instant stand
together: what contradicts itself there is wrong.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser import walk
from tests.product import Product, running

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


ON_ROLLOUTS = (
    "if (/\\/rollouts\\/\\d+\\/$/.test(location.pathname))"
    f" document.addEventListener('DOMContentLoaded', {WATCH});"
)
SETTLES_MS = 8000  # what a page says after the end belongs to the log


class Log:
    """Lines of a tour, flushed as they come; and what was timed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        self.path = path
        self.begun = 0.0

    def head(self, text: str) -> None:
        self._file.write(f"\n## {text}\n")
        self._file.flush()

    def watch(self, page: Page) -> None:
        """Write down what every rollout's page says that this page opens from now on."""
        page.expose_binding("wrote", self._wrote)
        page.add_init_script(ON_ROLLOUTS)

    def _wrote(self, _source: Any, changed: list[list[str]]) -> None:
        at = time.monotonic() - self.begun
        for name, said in changed:
            self._file.write(f"{at:7.2f}  {name}: {said}\n")
        self._file.write("\n")
        self._file.flush()

    def timed(self, what: str, since: float) -> None:
        """Write down, and print, how long something took."""
        line = f"{what}: {time.monotonic() - since:.1f} s"
        print(line, flush=True)  # noqa: T201  a tool
        self.head(line)


def good_tour(log: Log, product: Product, browser: Browser) -> None:
    """Version 2: as operator up to the question, as approver in a browser of their own, to the end."""
    log.head("Version 2")
    first, second = browser.new_context(), browser.new_context()
    page = walk.sign_in(first, product, "operator")
    approver = walk.sign_in(second, product, "approver")
    walk.review(page, 2)
    log.watch(page)
    log.begun = time.monotonic()
    walk.start(page)
    walk.wait_pill(page, "needs approval")
    log.timed("v2: from Start to needs approval", log.begun)
    asked = time.monotonic()
    walk.approve(approver, product)
    walk.wait_pill(page, "Succeeded")
    log.timed("v2: from there to its end, approved by clicks", asked)
    page.wait_for_timeout(SETTLES_MS)
    walk.picture(page, log.path.with_suffix(".v2.png"))
    first.close()
    second.close()


def bad_tour(log: Log, product: Product, browser: Browser) -> None:
    """Version 3: as operator, until all are back."""
    log.head("Version 3")
    context = browser.new_context()
    page = walk.sign_in(context, product, "operator")
    walk.review(page, 3)
    log.watch(page)
    log.begun = time.monotonic()
    walk.start(page)
    walk.wait_pill(page, "Rolled back")
    log.timed("v3: from Start to rolled back", log.begun)
    page.wait_for_timeout(SETTLES_MS)
    walk.picture(page, log.path.with_suffix(".v3.png"))
    context.close()


def main(to: str, agents: str = "200") -> None:
    """Run the product with a fleet of its own, and both tours."""
    log = Log(Path(to))
    data = Path(tempfile.mkdtemp(prefix="tours"))
    with running(data, agents=int(agents)) as product, walk.browser() as browser:
        product.wait_connected()
        good_tour(log, product, browser)
        bad_tour(log, product, browser)
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
