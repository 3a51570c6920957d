"""Takes the pictures of docs/images from a demo of its own, on the walk of the README.

    python -m tests.browser.take_pictures [DIRECTORY] [AGENTS]

Look at each before it is kept: a picture is of a moment that no test has chosen.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser import walk
from tests.product import ROOT, Product, running

IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


class Camera:
    """Signs people in, each in a browser of their own, and keeps pictures by name."""

    def __init__(self, browser: Browser, product: Product, to: Path) -> None:
        self.browser, self.product, self.to = browser, product, to

    def page(self, role: str, **more: Any) -> Page:
        known = {"viewport": WIDE, "color_scheme": "light", "timezone_id": "Europe/Berlin"}
        context = self.browser.new_context(**{**known, **more})
        return walk.sign_in(context, self.product, role)

    def take(self, page: Page, name: str, path: str = "", *, whole: bool = False) -> None:
        """Keep a page as it is, or as it is after going to `path`."""
        if path:
            page.goto(f"{self.product.url}{path}")
        page.wait_for_timeout(600)
        walk.picture(page, self.to / f"{name}.png", whole=whole)

    @contextmanager
    def once(self, role: str, **more: Any) -> Iterator[Page]:
        """Give a page that is looked at once."""
        page = self.page(role, **more)
        yield page
        page.context.close()


def good(camera: Camera) -> None:
    """Version 2: first page, review, observing, question, approval, end."""
    signed_out = camera.browser.new_context(viewport={"width": 900, "height": 640}).new_page()
    camera.take(signed_out, "sign-in", "/login/")
    page, approver = camera.page("operator"), camera.page("approver")
    camera.take(page, "first-page", "/", whole=True)
    walk.review(page, 2)
    camera.take(page, "review", whole=True)
    number = walk.start(page)
    walk.wait_pill(page, "observing")
    page.wait_for_timeout(6000)
    camera.take(page, "observing")
    walk.wait_pill(page, "needs approval")
    camera.take(page, "rollout")
    camera.take(approver, "approval", "/approvals/", whole=True)
    walk.approve(approver, camera.product)
    walk.wait_pill(page, "Succeeded")
    camera.take(page, "succeeded")
    page.context.close()
    with camera.once("operator") as other:
        camera.take(other, "replay", f"/rollouts/{number}/replay/")


def bad(camera: Camera) -> None:
    """Version 3: on its way back, back, and everything that is left of it."""
    page = camera.page("operator")
    walk.review(page, 3)
    number = walk.start(page)
    page.locator(".back-line .countdown").wait_for(timeout=60_000)
    walk.picture(page, camera.to / "rolling-back.png", whole=False)
    walk.wait_pill(page, "Rolled back")
    page.wait_for_timeout(2500)
    camera.take(page, "rolled-back", whole=True)
    camera.take(page, "timeline", f"/rollouts/{number}/timeline/", whole=True)
    camera.take(page, "overview", "/", whole=True)
    camera.take(page, "rollouts", "/rollouts/")
    camera.take(page, "audit", "/audit/")
    camera.take(page, "agents", "/agents/")
    camera.take(page, "versions", "/configs/edge/")
    camera.take(page, "quarantine", "/settings/quarantine/")
    with camera.once("operator", color_scheme="dark") as dark:
        camera.take(dark, "rolled-back-dark", f"/rollouts/{number}/", whole=False)
    with camera.once("operator", viewport=PHONE, device_scale_factor=2) as phone:
        camera.take(phone, "rolled-back-phone", f"/rollouts/{number}/")


def main(to: str = str(IMAGES), agents: str = "200") -> None:
    """Run the product with a fleet of its own, and take all pictures."""
    target = Path(to)
    target.mkdir(parents=True, exist_ok=True)
    usual = ROOT / "var"  # where `make up` keeps its data, and pages say so
    data = Path(tempfile.mkdtemp(prefix="pictures")) if usual.exists() else usual
    with running(data, agents=int(agents)) as product, walk.browser() as browser:
        product.wait_connected()
        camera = Camera(browser, product, target)
        good(camera)
        bad(camera)
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
