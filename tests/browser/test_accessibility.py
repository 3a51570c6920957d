"""axe on every page, in light and dark, wide and narrow; nothing wider than the window (ui.md 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.world import make_full_world, make_world


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_violates_a_rule(open_page: Callable[..., Page], scheme: str, width: int) -> None:
    world = make_full_world()
    roles = ("viewer", "author", "operator", "approver")
    page = open_page("chen", *roles, width=width, color_scheme=scheme)
    axe, wrong = Axe(), []
    for name, url in world.pages().items():
        page.goto(url)
        page.wait_for_timeout(150)  # facets and times are written
        for found in axe.run(page).response["violations"]:
            nodes = [node["html"][:160] for node in found["nodes"][:3]]
            wrong.append(f"{name}: {found['id']} {found['help']} {nodes}")
        overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            wrong.append(f"{name}: {overflow} px wider than the window")
    assert not wrong, "\n".join(wrong)


def test_pages_of_a_demo_violate_no_rule(open_page: Callable[..., Page], settings: Any) -> None:
    settings.DEMO = True
    make_full_world()
    page = open_page("chen", "operator", width=390)
    for url in ("/", "/login/"):
        page.goto(url)
        assert Axe().run(page).response["violations"] == []
        overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert overflow == 0
        page.context.clear_cookies()


def test_the_login_page_violates_no_rule(open_page: Callable[..., Page]) -> None:
    page = open_page("chen", "viewer")
    page.context.clear_cookies()
    page.goto("/login/?next=/agents/")
    assert Axe().run(page).response["violations"] == []


def test_an_open_dialog_violates_no_rule_and_keeps_the_focus(
    open_page: Callable[..., Page],
) -> None:
    world = make_world()
    page = open_page("chen", "operator")
    page.goto(f"/rollouts/{world.observing.pk}/")
    page.get_by_role("button", name="Abort and roll back…").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert Axe().run(page).response["violations"] == []
    assert dialog.get_by_role("button", name="Cancel").evaluate("e => e === document.activeElement")
