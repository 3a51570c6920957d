"""Take the pictures of docs/images/ from a real run: `python -m tools.screenshots [--dark]`.

Starts a demo of its own, rolls the good example out until production waits for an approval, approves
it, then rolls out the bad example and waits until it has come back by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from tests.product import ROOT, Product, running, wait_for

IMAGES = ROOT / "docs" / "images"


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools.screenshots")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--agents", type=int, default=200)
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="tidegate-pictures-"))
    with running(directory, agents=args.agents) as product, sync_playwright() as playwright:
        product.wait_connected()
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("E2E_CHROMIUM") or shutil.which("chromium")
        )
        context = browser.new_context(
            viewport={"width": 1280, "height": 860},
            color_scheme="dark" if args.dark else "light",
            base_url=product.url,
        )
        take(product, context, "-dark" if args.dark else "")
        browser.close()
    shutil.rmtree(directory)


def take(product: Product, context: BrowserContext, suffix: str) -> None:
    """Walk through the main job and take a picture of each station."""
    sign_in(product, context, "approver")
    good = product.start_rollout(2, "quick", "Smaller batches, and logs")
    wait_for(lambda: awaits_approval(product, good), 180, lambda: product.explain(good))
    picture(context, "/", f"overview{suffix}")
    picture(context, f"/rollouts/{good}/", f"rollout{suffix}")
    picture(context, "/approvals/", f"approval{suffix}")
    product.act(
        "approver",
        f"rollouts/{good}/approve",
        json={"phase": "production", "reason": "Canary and staging are quiet"},
    )
    product.wait_finished(good, 240)
    bad = product.start_rollout(3, "quick", "More verbose debug output")
    product.wait_finished(bad, 240)
    picture(context, f"/rollouts/{bad}/", f"rolled-back{suffix}")
    picture(context, f"/rollouts/{bad}/timeline/", f"timeline{suffix}")


def awaits_approval(product: Product, rollout_id: int) -> bool | None:
    phases = product.rollout(rollout_id)["phases"]
    return any(phase["state"] == "awaiting_approval" for phase in phases) or None


def sign_in(product: Product, context: BrowserContext, role: str) -> None:
    """Sign in with the form, as a person."""
    person = product.credentials["users"][role]
    page = context.new_page()
    page.goto("/login/")
    page.fill("input[name=username]", person["username"])
    page.fill("input[name=password]", person["password"])
    page.click("button[type=submit]")
    page.wait_for_url("**/")
    page.close()


def picture(context: BrowserContext, path: str, name: str) -> None:
    """Save one page as docs/images/NAME.png."""
    page = context.new_page()
    page.goto(path)
    page.get_by_text("Live ·").wait_for(timeout=10_000)
    page.screenshot(path=IMAGES / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
