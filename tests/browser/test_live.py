"""Live updates in a real browser: they land, in place, and never under the reader's hands."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from agents.models import AgentStatus
from console.lib import hints
from rollouts.models import Approval, Phase, Rollout, Target
from tests.browser.world import make_world


def is_live(page: Page) -> None:
    """Wait until the page hears the feed; a page without live regions hears only its navigation."""
    expect(page.locator("#live[data-on]")).to_have_count(1, timeout=15_000)


def test_a_page_that_does_not_follow_says_as_of_when_it_is(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer")
    page.goto("/help/shortcuts/")
    is_live(page)
    expect(page.locator("#live .t")).to_contain_text(re.compile(r"As of \d\d:\d\d:\d\d"))
    page.goto("/agents/")
    expect(page.locator("#live .t")).to_have_text("Live", timeout=15_000)


def test_an_older_message_changes_nothing_of_a_page(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    sent = f"""(ahead) => {{
        const html = ["pill", "why"].map((name) => `<p id="${{name}}-{world.observing.pk}" data-seq="${{Date.now() + ahead}}">Sent</p>`);
        const message = JSON.stringify({{ event: "frame", html: html.join(""), seq: Date.now() + ahead, signals: [] }});
        htmx.trigger(document.body, "htmx:wsBeforeMessage", {{ message }});
        return [...document.querySelectorAll("[data-seq]")].filter((one) => one.textContent === "Sent").length;
    }}"""
    assert page.evaluate(sent, -600_000) == 0
    # One region alone was read later than the message: then none of it is newer for the page.
    page.evaluate(
        f"() => {{ document.getElementById('why-{world.observing.pk}').dataset.seq = Date.now() + 300_000; }}"
    )
    assert page.evaluate(sent, 60_000) == 0
    assert page.evaluate(sent, 600_000) == 2


def test_a_page_that_was_long_on_its_way_takes_nothing_newer_back(
    open_page: Callable[..., Page],
) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    page.evaluate(
        f"""() => {{
            const why = document.getElementById("why-{world.observing.pk}");
            why.dataset.seq = Date.now() + 600_000;
            why.querySelector(".say").textContent = "38 of 40 run it.";
            document.querySelector("main h1").textContent = "Before";
        }}"""
    )
    page.evaluate("() => htmx.trigger(document.body, 'rollout-state', {})")
    expect(page.locator("main h1")).not_to_have_text("Before", timeout=15_000)  # it has landed
    expect(page.locator(f"#why-{world.observing.pk} .say")).to_have_text("38 of 40 run it.")


def say(rollout: Rollout, text: str) -> None:
    Rollout.objects.filter(pk=rollout.pk).update(why={"say": text, "tone": "run", "code": "x"})
    hints.mark_dirty(rollout.topic)


def test_a_change_reaches_the_page_in_place(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    page.evaluate("() => { window.kept = document.querySelector('h1'); }")
    say(world.observing, "Sending 12 of 20.")
    expect(page.locator(".why-line .say").first).to_have_text("Sending 12 of 20.", timeout=10_000)
    assert page.evaluate("() => window.kept === document.querySelector('h1')")


def test_cells_and_counts_follow_the_targets(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    say(world.observing, "First.")
    expect(page.locator(".why-line .say").first).to_have_text("First.", timeout=10_000)
    target = Target.objects.filter(rollout=world.observing).order_by("phase__index", "position")[0]
    Target.objects.filter(pk=target.pk).update(state="failed", error="refused")
    say(world.observing, "Second.")
    expect(page.locator(".agent-grid use").first).to_have_attribute(
        "href", "#c-failed", timeout=10_000
    )
    expect(page.locator(f"#n-failed-{world.observing.pk}")).to_have_text("1")


def test_the_action_bar_follows_the_state(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("op", "operator")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    say(world.observing, "First.")
    expect(page.locator(".why-line .say").first).to_have_text("First.", timeout=10_000)
    Rollout.objects.filter(pk=world.observing.pk).update(state="paused", revision=9)
    say(world.observing, "Paused.")
    expect(page.get_by_role("button", name="Resume…")).to_be_visible(timeout=10_000)


def test_selected_text_is_not_swapped_away(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    page.evaluate(
        "() => window.getSelection().selectAllChildren(document.querySelector('.why-line .say'))"
    )
    phase = Phase.objects.filter(rollout=world.observing).order_by("index")[2]
    Phase.objects.filter(pk=phase.pk).update(counts={"members": 7, "applied": 3})
    say(world.observing, "Something new.")
    expect(page.locator(f"#phase-in-{phase.pk}")).to_contain_text("3 / 7", timeout=10_000)
    assert page.locator(".why-line .say").first.inner_text() == "Observing."


def test_paused_updates_wait_and_catch_up(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    page.get_by_role("button", name="Pause live updates").click()
    say(world.observing, "Unseen.")
    expect(page.locator("#live .t")).to_contain_text("changes waiting", timeout=10_000)
    expect(page.locator("#live .t")).not_to_contain_text(" 0 ", timeout=10_000)
    assert page.locator(".why-line .say").first.inner_text() == "Observing."
    page.get_by_role("button", name="Resume live updates").click()
    expect(page.locator(".why-line .say").first).to_have_text("Unseen.", timeout=10_000)


def test_a_row_changes_in_place_and_the_notice_counts_it(open_page: Callable[..., Page]) -> None:
    make_world()
    page = open_page("vera", "viewer")
    frames: list[str] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: frames.append(str(frame))))
    page.goto("/agents/?sort=name")
    is_live(page)
    # The first look of the publisher compares with nothing and says to read again.
    hints.mark_dirty("agents")
    for _ in range(100):
        if any("refresh" in frame for frame in frames):
            break
        page.wait_for_timeout(200)
    status = AgentStatus.objects.select_related("agent").order_by("agent__name")[3]
    AgentStatus.objects.filter(pk=status.pk).update(healthy=False)
    hints.mark_dirty("agents")
    row = page.locator(f"#agent-{status.agent_id}")
    expect(row).to_contain_text("Unhealthy", timeout=10_000)
    expect(page.locator("#agents-notice")).to_contain_text("1 agent changed")
    names = page.locator("#agent-table tbody th").all_inner_texts()
    assert names == sorted(names)


def test_the_navigation_counts_follow(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto("/help/shortcuts/")
    is_live(page)
    expect(page.locator("#nav-rollouts-a")).to_contain_text("2")
    Rollout.objects.filter(pk=world.waiting.pk).update(state="aborted")
    hints.mark_dirty("rollouts")
    expect(page.locator("#nav-rollouts-a")).to_contain_text("1", timeout=10_000)


def test_a_session_that_ends_says_so_and_offers_to_sign_in(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    page.evaluate(
        "() => fetch('/logout/', {method: 'POST', headers: {'X-CSRFToken': JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']}})"
    )
    say(world.observing, "Unseen.")
    Rollout.objects.filter(pk=world.observing.pk).update(state="paused")
    page.evaluate("() => tidegate.resync(0)")
    expect(page.locator("#live .t")).to_have_text("Signed out", timeout=10_000)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_the_title_says_where_the_rollout_stands(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("vera", "viewer")
    page.goto(f"/rollouts/{world.observing.pk}/")
    is_live(page)
    say(world.observing, "First.")
    expect(page.locator(".why-line .say").first).to_have_text("First.", timeout=10_000)
    Rollout.objects.filter(pk=world.observing.pk).update(state="paused", revision=9)
    say(world.observing, "Paused.")
    number = world.observing.number
    expect(page).to_have_title(re.compile(rf"^{number} Paused\b.* · Tidegate$"), timeout=10_000)


def test_the_title_counts_what_waits_for_the_reader(open_page: Callable[..., Page]) -> None:
    world = make_world()
    page = open_page("ada", "approver")
    page.goto("/configs/")
    expect(page).to_have_title("(1) Configs · Tidegate")
    is_live(page)
    Approval.objects.filter(phase__rollout=world.waiting).update(state="withdrawn")
    hints.mark_dirty("approvals")
    expect(page).to_have_title("Configs · Tidegate", timeout=10_000)
