"""The rollback in a browser: while it runs, and afterwards; the page that begins one by selector."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.actor import Actor
from accounts.models import User
from console.lib.hints import mark_dirty
from rollouts.actions.share import share
from rollouts.models import Rollback, RollbackTarget, Rollout
from tests.console.pages.rollbacks.rows import make_course, make_way_back
from tests.console.pages.rollbacks.test_begin import delivered
from tests.make.agents import make_fleet
from tests.make.configs import make_config


def come_back(rollout: Rollout) -> None:
    """Let every agent be back and the rollout be over, as the loop leaves it."""
    now = timezone.now()
    rollback = rollout.rollback
    left = RollbackTarget.objects.filter(rollback=rollback, state="offered")
    left.update(state="confirmed", confirmed_at=now)
    rollout.targets.filter(state="failed").update(state="rolled_back", taken_from="failed")
    Rollback.objects.filter(pk=rollback.pk).update(state="succeeded", finished_at=now)
    Rollout.objects.filter(pk=rollout.pk).update(state="rolled_back", revision=9)
    mark_dirty(rollout.topic)


def test_the_cause_is_read_first_and_the_end_arrives_by_itself(
    open_page: Callable[..., Page],
) -> None:
    rollout = make_way_back(back=11)
    make_course(rollout)
    page = open_page("op", "operator", "author")
    page.goto(f"/rollouts/{rollout.pk}/")
    line = page.locator(".back-line")
    expect(line.locator(".say")).to_have_text("Failure rate is 95 %, limit 5 %.")
    expect(line).to_contain_text("180 agents never received v3.")
    expect(line.locator(".countdown")).to_contain_text("11 of 20 online are back")
    expect(page.locator("#next-steps a")).to_have_count(0)
    come_back(rollout)
    expect(line.locator(".say")).to_have_text(re.compile(r"Caught in 3(\.\d)? s, returned in "))
    expect(page.locator("#next-steps")).to_contain_text("Write v4 from v2")


def test_a_rollback_by_selector_is_counted_while_it_is_written(
    open_page: Callable[..., Page],
) -> None:
    versions = make_config("edge", 3)
    agents = make_fleet(6, running=versions[2].config_hash)
    delivered(versions[1], agents[:4])
    delivered(versions[0], agents[4:])
    page = open_page("op", "operator")
    page.goto("/rollbacks/new/")
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    page.fill("#q", "env=prod")
    preview = page.locator("#preview")
    expect(preview.locator(".total b")).to_have_text("6")
    expect(preview).to_contain_text("edge v3")
    page.fill("#reason", "The queues grow since noon.")
    page.get_by_role("button", name="Roll back 6 agents").click()
    expect(page.locator("#again")).to_have_attribute("aria-invalid", "true")
    assert not Rollback.objects.exists()
    page.fill("#again", "6")
    page.get_by_role("button", name="Roll back 6 agents").click()
    expect(page.locator("h1")).to_contain_text("Rollback")
    assert Rollback.objects.get().targets.count() == 6


def test_a_rollback_by_selector_is_counted_and_confirmed_without_javascript(
    open_page: Callable[..., Page],
) -> None:
    versions = make_config("edge", 2)
    agents = make_fleet(3, running=versions[1].config_hash, env="staging")
    delivered(versions[0], agents)
    page = open_page("op", "operator", js=False)
    page.goto("/rollbacks/new/")
    page.fill("#q", "*")
    page.fill("#reason", "The queues grow since noon.")
    page.locator("#preview").get_by_role("button", name="Count").click()
    page.get_by_role("button", name="Roll back 3 agents").click()
    expect(page.locator("h1")).to_contain_text("Rollback")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_way_back_violates_a_rule(open_page: Callable[..., Page], scheme: str) -> None:
    rollout = make_way_back(back=11)
    make_course(rollout)
    sharer = Actor.of(User.objects.get(username="starter"))
    _link, secret = share(rollout_id=rollout.pk, by=sharer)
    page = open_page("op", "operator", width=390, color_scheme=scheme)
    here = f"/rollouts/{rollout.pk}/"
    pages = [here, f"{here}timeline/", f"/shared/{secret}/"]
    wrong = [said for url in pages for said in violations(page, url)]
    come_back(rollout)
    wrong += [
        said for url in [*pages, f"{here}share/", "/rollouts/"] for said in violations(page, url)
    ]
    assert not wrong, "\n".join(wrong)


def violations(page: Page, url: str) -> list[str]:
    """Return what a page does wrong, with its address."""
    page.goto(url)
    page.wait_for_timeout(150)
    found = [f"{url}: {v['id']} {v['help']}" for v in Axe().run(page).response["violations"]]
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    return [*found, f"{url}: {overflow} px wider than the window"] if overflow > 0 else found
