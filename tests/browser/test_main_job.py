"""The main job in a browser: draft, review, start, pause, approve, roll back; with and without JS."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from rollouts.models import Approval, Rollout
from tests.browser.world import make_world
from tests.make.agents import make_fleet
from tests.make.configs import make_config


def start_a_rollout(page: Page, *, js: bool) -> Rollout:
    page.goto("/rollouts/new/?config=edge")
    page.fill("#q", "env=prod")
    if js:
        expect(page.locator("#preview .total b")).to_have_text("20")
    else:
        page.get_by_role("button", name="Update preview").click()
        expect(page.locator("#preview .total b")).to_have_text("20")
    page.get_by_role("button", name="Review and start…").click()
    expect(page.get_by_role("heading", name="What happens")).to_be_visible()
    page.get_by_role("button", name="Start rollout to 20 agents").click()
    expect(page.locator(".banner").first).to_contain_text("is started")
    return Rollout.objects.latest("pk")


def prepare() -> None:
    versions = make_config("edge", 2)
    make_fleet(20, running=versions[0].config_hash)


def test_start_pause_and_roll_back_with_dialogs(open_page: Callable[..., Page]) -> None:
    prepare()
    page = open_page("op", "operator")
    rollout = start_a_rollout(page, js=True)
    page.get_by_role("button", name="Pause…").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause rollout").click()
    expect(page.locator(".title .pill")).to_have_text("Paused")
    page.get_by_role("button", name="Abort and roll back…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Roll back").click()
    expect(dialog.locator("#reason-e")).to_contain_text("at least 10 characters")
    dialog.locator("#reason").fill("Not what we wanted after all.")
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.locator(".title .pill")).to_contain_text("Roll")
    assert Rollout.objects.get(pk=rollout.pk).state in {"rolling_back", "rolled_back"}


def test_start_and_abort_without_javascript(open_page: Callable[..., Page]) -> None:
    prepare()
    page = open_page("op", "operator", js=False)
    rollout = start_a_rollout(page, js=False)
    page.get_by_role("button", name="Abort and roll back…").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Abort")
    page.check("input[name=mode][value=leave]")
    page.fill("#reason", "Stop here, the window closes.")
    page.locator("form .btn.danger-fill").click()
    expect(page.locator(".title .pill")).to_have_text("Aborted")
    assert Rollout.objects.get(pk=rollout.pk).state == "aborted"


def test_approve_without_javascript(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("chen", "approver", js=False)
    page.goto("/approvals/")
    page.get_by_role("button", name="Reject…").click()
    page.fill("#reason", "The limit is too close for now.")
    page.get_by_role("button", name="Reject Production").click()
    expect(page.locator(".banner").first).to_contain_text("is rejected")
    assert Approval.objects.get(phase__rollout=world.waiting).state == "rejected"


def test_the_keyboard_alone_opens_a_rollout_and_pauses_it(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("op", "operator")
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/rollouts/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/rollouts/{world.observing.pk}/")
    page.get_by_role("button", name="Pause…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    focused = page.evaluate("() => document.activeElement.textContent")
    assert "Pause" in focused
    page.keyboard.press("Enter")
    dialog.wait_for()
    page.get_by_role("button", name="Pause rollout").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".title .pill")).to_have_text("Paused")


def test_single_keys_do_nothing_inside_a_field(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("op", "operator")
    page.goto("/agents/")
    page.locator("#q").focus()
    page.keyboard.type("gr?")
    assert page.url.endswith("/agents/")
    expect(page.locator("#q")).to_have_value("gr?")


def test_a_refused_dialog_puts_the_reader_into_the_field(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("op", "operator")
    page.goto(f"/rollouts/{world.observing.pk}/")
    page.get_by_role("button", name="Abort and roll back…").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.fill("#reason", "no")
    page.locator("dialog .btn.danger-fill").click()
    expect(page.locator("#reason")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#reason")).to_be_focused()
    expect(page.locator("#reason")).to_have_value("no")


def test_what_cannot_be_done_says_why_in_a_menu(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    acts = page.locator("#acts")
    expect(acts.locator("a")).to_have_count(0)
    acts.get_by_text("More").click()
    reasons = acts.locator(".why-not")
    expect(reasons.first).to_be_visible()
    expect(reasons.first).to_contain_text("Needs the role")
    head = page.locator(".page-head").bounding_box()
    assert head is not None
    page.keyboard.press("Escape")
    assert head["height"] < 90  # two lines
