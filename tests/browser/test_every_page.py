"""Every page while the world moves: what an open page says is what a fresh load of it says.

A page either follows the feed, then it is compared, or it says as of when it is. A page of the URL
configuration that stands in neither list fails the test.
"""

from __future__ import annotations

import re
import time
from pprint import pformat
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.moving import Story
from tests.browser.proxy import Wire, wire
from tests.console.pages.test_routes import routes
from tests.make.people import PASSWORD, make_user
from tests.make.rotation import make_certificate

# For some thirty pages that one server reads at once; on a machine that has time it is two seconds.
CAUGHT_UP_S = 240.0
# Routes whose pages follow the feed, with queries worth a tab of their own.
LIVE = {
    "/": [""],
    "/needs/": [""],
    "/agents/": ["", "?q=env%3Dprod&status=offline"],
    "/agents/<uuid:uid>/": [""],
    "/agents/<uuid:uid>/config/": [""],
    "/agents/<uuid:uid>/health/": [""],
    "/agents/<uuid:uid>/history/": [""],
    "/configs/": [""],
    "/rollouts/": [""],
    "/rollouts/<int:rollout_id>/": [""],
    "/rollouts/<int:rollout_id>/agents/": [""],
    "/rollouts/<int:rollout_id>/phases/<int:number>/": [""],
    "/rollouts/<int:rollout_id>/readiness/": [""],
    "/rollouts/<int:rollout_id>/timeline/": [""],
    "/rollbacks/": [""],
    "/rollbacks/<int:rollback_id>/": [""],
    "/approvals/": [""],
    "/settings/quarantine/": [""],
    "/settings/quarantine/<slug:config_hash>/": ["?all=1"],
}
SHARED = (
    "/shared/<str:secret>/"  # a document of its own, without the frame: it says as of when it is
)
# What is looked at once, or written in: it says as of when it is.
STILL = {
    "/agents/refused/",
    "/agents/retire/",
    "/certificates/",
    "/certificates/<int:certificate_id>/",
    "/configs/new/",
    "/configs/<slug:name>/edit/",
    "/configs/<slug:name>/v/<int:number>/",
    "/configs/<slug:name>/diff/<int:a>...<int:b>/",
    "/rollouts/new/",
    "/rollouts/<int:rollout_id>/start/",
    "/plans/",
    "/plans/new/",
    "/plans/<slug:name>/",
    "/plans/<slug:name>/edit/",
    "/plans/<slug:name>/backtest/",
    "/rollbacks/new/",
    "/audit/",
    "/settings/quarantine/<slug:config_hash>/lift/",
    "/search/",
    "/settings/profile/",
    "/settings/freeze/",
    "/settings/budgets/",
    "/settings/guards/",
    "/settings/retirement/",
    "/settings/signing-keys/",
    "/help/shortcuts/",
    "/help/metrics/",
}
# No pages: they answer parts, files, redirects, or one act each (a dialog, or its page without JS).
NO_PAGE = {
    "/login/",
    "/logout/",
    "/counts/",
    "/needs/seen/",
    "/plans/<slug:name>/record/",
    "/rollbacks/new/count/",
    "/approvals/approve/",
    "/agents/export.csv",
    "/agents/picked/",
    "/certificates/resume/",
    "/certificates/push/<uuid:uid>/",
    "/configs/<slug:name>/",
    "/rollouts/new/preview/",
    "/plans/<slug:name>/today/",
    "/r/<str:number>",
    "/approvals/<int:approval_id>/",
    "/settings/",
    "/settings/profile/end-others/",
    "/styleguide/",
}
ACT = re.compile(
    r"/(rollouts/<int:rollout_id>|agents/<uuid:uid>|certificates/<int:certificate_id>)/[a-z-]+/"
)


def test_every_page_of_the_url_configuration_is_known_here() -> None:
    unknown = [
        route
        for route in routes()
        if route not in LIVE | dict.fromkeys(STILL | NO_PAGE | {SHARED})
        and not ACT.fullmatch(route)
    ]
    assert unknown == []
    assert sorted(set(LIVE) & STILL) == []


class Tabs:
    """One person's open pages."""

    def __init__(self, browser: Browser, url: str, scheme: str) -> None:
        make_user("vera", "viewer", "operator", "approver", "author", "admin", password=PASSWORD)
        self.context = browser.new_context(
            base_url=url,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
        )
        self.complaints: list[str] = []
        page = self.new()
        page.goto("/login/")
        page.fill("#user", "vera")
        page.fill("#pw", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda found: "/login/" not in found)
        page.close()
        self.pages: dict[str, Page] = {}

    def new(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def open(self, path: str) -> None:
        page = self.pages[path] = self.new()
        page.goto(path)
        expect(page.locator("#live .t")).to_have_text("Live", timeout=20_000)


def fill(route: str, story: Story, rollout: int) -> str:
    values = {
        "<int:rollout_id>": rollout,
        "<int:rollback_id>": story.rollback.pk,
        "<uuid:uid>": story.fleet.agents[0].instance_uid,
        "<slug:name>": "standard" if route.startswith("/plans") else "edge",
        "<slug:config_hash>": story.kept_hash,
        "<str:secret>": story.secret,
        "<int:number>": 1,
        "<int:a>": 1,
        "<int:b>": 2,
    }
    if "<int:certificate_id>" in route:
        values["<int:certificate_id>"] = make_certificate(agent=story.fleet.agents[0]).pk
    for name, value in values.items():
        route = route.replace(name, str(value))
    return route


def live_paths(story: Story) -> list[str]:
    found = []
    for route, queries in LIVE.items():
        rollouts = [story.good.pk, story.bad.pk] if "<int:rollout_id>" in route else [0]
        found += [fill(route, story, pk) + query for pk in rollouts for query in queries]
    return found


# What a page says, region by region: without what time alone changes, and without what the reader
# or the browser put there. Rows of the agents list stay where they are until the reader asks.
REGIONS = """async () => {
    const answer = await fetch(location.href, { headers: { "X-Background": "1" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = (root) => {
        const copy = root.cloneNode(true);
        for (const one of copy.querySelectorAll("time, script, .age, #grid-note, .loading, noscript")) one.remove();
        return copy.textContent.replace(/\\s+/g, " ").trim();
    };
    const looks = (root) => [...root.querySelectorAll("[class*='is-']")].map((one) => one.className.replace(" changed", "")).join(" ");
    const found = [];
    const compare = (name, open, now) => {
        if (!open || !now) { if (open !== now) found.push(`${name}: ${open ? "gone" : "missing"}`); return; }
        if (said(open) !== said(now)) found.push(`${name}: says "${said(open).slice(0, 300)}", should say "${said(now).slice(0, 300)}"`);
        else if (looks(open) !== looks(now)) found.push(`${name}: looks "${looks(open).slice(0, 200)}", should look "${looks(now).slice(0, 200)}"`);
    };
    const cells = (root) => [...root.querySelectorAll("svg.agent-grid use")].map((one) => one.getAttribute("href")).join(" ");
    const lists = document.getElementById("agent-table");
    if (lists) {
        for (const cell of document.querySelectorAll("#agent-table [id][data-seq]")) {
            const now = fresh.getElementById(cell.id);
            if (now) compare(cell.id, cell, now);
        }
        const total = (root) => (root.querySelector("#agent-facts span") || root).textContent.match(/\\d+/)?.[0];
        if (total(document) !== total(fresh)) found.push(`agent-facts: ${total(document)}, should be ${total(fresh)}`);
        return found;
    }
    const ids = new Set([...document.querySelectorAll("#main [id]"), ...fresh.querySelectorAll("#main [id]")].map((one) => one.id));
    ids.delete("messages");
    for (const id of ids) compare(id, document.getElementById(id), fresh.getElementById(id));
    compare("main", document.getElementById("main"), fresh.getElementById("main"));
    compare("navigation", document.querySelector("nav.side"), fresh.querySelector("nav.side"));
    if (document.title !== fresh.title.replace(/\\s+/g, " ").trim()) found.push(`title: "${document.title}", should be "${fresh.title}"`);
    if (cells(document) !== cells(fresh)) found.push(`grid: ${cells(document)}, should be ${cells(fresh)}`);
    return found;
}"""


def differences(tabs: Tabs, within_s: float = CAUGHT_UP_S) -> dict[str, Any]:
    """Return what open pages say that fresh ones do not, once all had time to hear of it."""
    left = dict(tabs.pages)
    wrong: dict[str, Any] = {}
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        wrong = {path: said for path, page in left.items() if (said := page.evaluate(REGIONS))}
        left = {path: tabs.pages[path] for path in wrong}
        if not left:
            return {}
        next(iter(left.values())).wait_for_timeout(1000)
    return wrong


def check_still_pages(tabs: Tabs, story: Story) -> None:
    page = tabs.new()
    for route in sorted(STILL):
        page.goto(fill(route, story, story.bad.pk))
        assert page.locator("#live[data-still]").count() == 1, (
            f"{route} says neither Live nor as of"
        )
        expect(page.locator("#live .t")).to_contain_text("As of")
    page.goto(fill(SHARED, story, 0))
    expect(page.locator(".facts")).to_contain_text("as of")
    page.close()


def told(story: Story, tabs: Tabs, *, line: Wire | None = None) -> dict[str, Any]:
    """Let the story happen; return the first act after which pages said something wrong, and what."""
    for name, act in story.acts().items():
        if line is not None:
            line.cut()
        act()
        if line is not None:
            line.mend()
        found = differences(tabs)
        if found:
            return {name: found}
    return {}


@pytest.mark.parametrize(("scheme", "is_cut"), [("light", False), ("dark", True)])
def test_open_pages_say_what_fresh_ones_say(
    chromium: Browser, server: str, scheme: str, is_cut: bool
) -> None:
    story = Story()
    with wire(urlsplit(server).port or 0) as line:
        tabs = Tabs(chromium, line.url, scheme)
        try:
            check_still_pages(tabs, story)
            for path in live_paths(story):
                tabs.open(path)
            wrong = told(story, tabs, line=line if is_cut else None)
            assert wrong == {}, pformat(wrong, width=200)
            assert tabs.complaints == []
        finally:
            tabs.context.close()
