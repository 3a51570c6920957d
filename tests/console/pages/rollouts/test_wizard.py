"""The form of a new rollout: preview, draft, review, start; what is wrong and nothing typed lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, AgentStatus, ComponentSet, Quarantine
from rollouts.models import ConfigVersion, Rollout, Target
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db

PREVIEW = {"HX-Request": "true", "HX-Target": "preview"}


@pytest.fixture
def version() -> ConfigVersion:
    versions = make_config("edge", 2, make_user("author", "author"))
    make_fleet(20, running=versions[0].config_hash)
    return versions[1]


@pytest.fixture
def client() -> Client:
    return sign_in("op", "operator")


def form(**data: str) -> dict[str, str]:
    return {"config": "edge", "version": "2", "q": "env=prod", "plan": "standard", **data}


def test_a_new_form_is_not_wrong_yet(client: Client, version: ConfigVersion) -> None:
    text = client.get("/rollouts/new/").content.decode()
    assert "Say who gets it" in text
    assert 'aria-invalid="true"' not in text


def test_the_preview_counts_each_phase(client: Client, version: ConfigVersion) -> None:
    text = client.post("/rollouts/new/preview/", form(), headers=PREVIEW).content.decode()
    assert "<b>20</b>" in text
    assert "Canary" in text
    assert "Production" in text


@pytest.mark.parametrize(
    ("shown", "sent_again"),
    [
        ({"shown_plan": "quick"}, "wizard-plan"),
        ({"shown_version": "1"}, "wizard-diff"),
        ({"shown_config": "other"}, "wizard-versions"),
    ],
)
def test_the_preview_brings_what_the_page_shows_otherwise(
    client: Client, version: ConfigVersion, shown: dict[str, str], sent_again: str
) -> None:
    same = {"shown_config": "edge", "shown_version": "2", "shown_plan": "standard"}
    text = client.post(
        "/rollouts/new/preview/", form(**{**same, **shown}), headers=PREVIEW
    ).content.decode()
    parts = ("wizard-plan", "wizard-diff", "wizard-versions")
    assert [name for name in parts if f'id="{name}" hx-swap-oob' in text] == [sent_again]


def test_the_preview_without_script_is_the_page_again(
    client: Client, version: ConfigVersion
) -> None:
    text = client.post("/rollouts/new/", form(act="preview")).content.decode()
    assert "<html" in text
    assert "20 match, 20 get it" in text
    assert not Rollout.objects.exists()


def test_a_selector_that_cannot_be_read_is_pointed_at(
    client: Client, version: ConfigVersion
) -> None:
    text = client.post(
        "/rollouts/new/preview/", form(q="env=prod,region in ("), headers=PREVIEW
    ).content.decode()
    assert 'class="caret"' in text
    assert 'id="selector-error"' in text


def test_nothing_typed_is_lost_when_something_is_wrong(
    client: Client, version: ConfigVersion
) -> None:
    answer = client.post("/rollouts/new/", form(act="review", q="env=", title="Raise the batch"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Raise the batch"' in text
    assert 'value="env="' in text
    assert "error-summary" in text


def test_the_draft_holds_the_agents_that_were_shown(client: Client, version: ConfigVersion) -> None:
    answer = client.post("/rollouts/new/", form(act="draft", seed="ab" * 16))
    assert answer.status_code == 303
    rollout = Rollout.objects.get()
    assert (rollout.state, rollout.seed) == ("draft", "ab" * 16)
    assert Target.objects.filter(rollout=rollout).count() == 20


def test_what_was_changed_for_this_rollout_is_in_its_plan(
    client: Client, version: ConfigVersion
) -> None:
    data = form(act="draft", max_in_flight="7", on_no_data="fail", on_fail="pause")
    client.post("/rollouts/new/", data)
    plan = Rollout.objects.get().plan
    assert plan["pace"]["max_in_flight"] == 7
    assert plan["pace"]["on_no_data"] == "fail"
    assert plan["rollback"]["enabled"] is False


@pytest.mark.parametrize("number", ["0", "-1", "many", "1e3", "9999999"])
def test_a_wrong_number_is_refused_in_words(
    client: Client, version: ConfigVersion, number: str
) -> None:
    answer = client.post("/rollouts/new/", form(act="draft", max_in_flight=number))
    assert answer.status_code == 422
    assert "whole number from 1" in answer.content.decode()


def test_a_start_in_the_past_is_refused(client: Client, version: ConfigVersion) -> None:
    past = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    answer = client.post("/rollouts/new/", form(act="draft", start="at", start_at=past))
    assert answer.status_code == 422
    assert "has passed" in answer.content.decode()


def test_review_leads_to_the_start_page_and_starts(client: Client, version: ConfigVersion) -> None:
    answer = client.post("/rollouts/new/", form(act="review"))
    rollout = Rollout.objects.get()
    assert answer.headers["Location"] == f"/rollouts/{rollout.pk}/start/"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Start rollout to 20 agents" in page
    digest = rollout.preview["digest"]
    data = {"revision": rollout.revision, "digest": digest, "reason": "Ticket OPS-9"}
    started = client.post(f"/rollouts/{rollout.pk}/start/", data)
    assert started.status_code == 303
    assert Rollout.objects.get().state == "running"


def test_a_fleet_that_changed_is_shown_and_asked_about_again(
    client: Client, version: ConfigVersion
) -> None:
    client.post("/rollouts/new/", form(act="review"))
    rollout = Rollout.objects.get()
    make_fleet(20, running=version.config.versions.get(number=1).config_hash)
    data = {"revision": rollout.revision, "digest": rollout.preview["digest"]}
    answer = client.post(f"/rollouts/{rollout.pk}/start/", data)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "The fleet changed" in text
    assert "Start rollout to 40 agents" in text
    assert Rollout.objects.get().state == "draft"


def test_the_new_counts_can_be_started_after_they_were_seen(
    client: Client, version: ConfigVersion
) -> None:
    client.post("/rollouts/new/", form(act="review"))
    rollout = Rollout.objects.get()
    make_fleet(20, running=version.config.versions.get(number=1).config_hash)
    url = f"/rollouts/{rollout.pk}/start/"
    data = {"revision": rollout.revision, "digest": rollout.preview["digest"]}
    text = client.post(url, data).content.decode()
    seen = text.split('name="digest" value="')[1].split('"')[0]
    assert client.post(url, {**data, "digest": seen}).status_code == 303
    assert Target.objects.count() == 40


def test_a_viewer_may_look_but_not_draft(version: ConfigVersion) -> None:
    client = sign_in("vera", "viewer")
    text = client.get("/rollouts/new/?config=edge&q=env%3Dprod").content.decode()
    assert "Needs the role" in text
    assert client.post("/rollouts/new/", form(act="draft")).status_code == 403
    assert not Rollout.objects.exists()


def test_the_preview_says_who_is_away_and_waits(client: Client, version: ConfigVersion) -> None:
    AgentStatus.objects.filter(agent__in=Agent.objects.order_by("pk")[:7]).update(connected=False)
    text = client.post("/rollouts/new/preview/", form(), headers=PREVIEW).content.decode()
    assert "<dt>7</dt><dd>away: the last wave gives it to them when they are back</dd>" in text


def test_a_finding_that_can_be_accepted_asks_for_its_reason(
    client: Client, version: ConfigVersion
) -> None:
    ComponentSet.objects.create(components_hash="h", names=[], at=timezone.now())
    Agent.objects.update(components_hash="h", capabilities=0x5003)
    client.post("/rollouts/new/", form(act="review"))
    rollout = Rollout.objects.get()
    url = f"/rollouts/{rollout.pk}/start/"
    assert 'name="accept.components"' in client.get(url).content.decode()
    data = {"revision": rollout.revision, "digest": rollout.preview["digest"]}
    refused = client.post(url, {**data, "accept.components": " ", "reason": "mine"})
    assert (refused.status_code, Rollout.objects.get().state) == (409, "draft")
    kept = {**data, "accept.components": "the list is wrong"}
    assert client.post(url, kept).status_code == 303
    assert Rollout.objects.get().accepted[0]["reason"] == "the list is wrong"


def drafted(client: Client, **more: str) -> Rollout:
    client.post("/rollouts/new/", form(act="draft", **more))
    return Rollout.objects.get()


def test_a_draft_is_edited_in_the_same_form(client: Client, version: ConfigVersion) -> None:
    draft = drafted(client, max_in_flight="7", title="Raise the batch")
    page = client.get(f"/rollouts/{draft.pk}/edit/")
    text = page.content.decode()
    assert 'value="Raise the batch"' in text
    assert f'name="revision" value="{draft.revision}"' in text
    assert page.context["form"].given.plan == "@draft"
    data = form(act="draft", plan="@draft", q="region=r1", draft=str(draft.pk), revision="1")
    assert client.post(f"/rollouts/{draft.pk}/edit/", data).status_code == 303
    draft.refresh_from_db()
    assert (draft.selector, draft.plan["pace"]["max_in_flight"]) == ("region=r1", 7)
    assert Rollout.objects.count() == 1
    stale = client.post(f"/rollouts/{draft.pk}/edit/", data)
    assert (stale.status_code, "Nothing was done" in stale.content.decode()) == (409, True)


def test_the_preview_of_an_edited_draft_counts_by_its_own_plan(
    client: Client, version: ConfigVersion
) -> None:
    draft = drafted(client)
    data = form(plan="@draft", draft=str(draft.pk), seed=draft.seed)
    text = client.post("/rollouts/new/preview/", data, headers=PREVIEW).content.decode()
    assert "20 match, 20 get it" in text


def test_what_is_no_draft_any_more_is_not_edited(client: Client, version: ConfigVersion) -> None:
    draft = drafted(client)
    Rollout.objects.update(state="running")
    assert client.get(f"/rollouts/{draft.pk}/edit/").status_code == 302


def test_a_draft_offers_edit_and_discard(client: Client, version: ConfigVersion) -> None:
    draft = drafted(client)
    text = client.get(f"/rollouts/{draft.pk}/").content.decode()
    assert f'href="/rollouts/{draft.pk}/edit/"' in text
    assert f'href="/rollouts/{draft.pk}/discard/"' in text
    assert client.post(f"/rollouts/{draft.pk}/discard/", {"revision": "1"}).status_code == 303
    assert Rollout.objects.get().shown_state == "never_started"


def test_enter_presses_the_button_that_only_counts(client: Client, version: ConfigVersion) -> None:
    """A browser presses the first button of a form: of those in it, and those that name it."""
    text = client.get("/rollouts/new/").content.decode()
    main = text[text.index("<main") :]
    first = main[main.index('type="submit"') :][:200]
    assert 'value="preview"' in first


def bring_back(version: ConfigVersion) -> Rollout:
    return make_rollout(version, state="rolled_back", phases=("rolled_back", "skipped", "skipped"))


def test_the_newest_version_that_may_be_rolled_out_is_chosen(
    client: Client, version: ConfigVersion
) -> None:
    back = bring_back(version)
    Quarantine.objects.create(
        config_hash=version.config_hash, outcome="rolled_back", by="system", at=timezone.now()
    )
    page = client.get("/rollouts/new/?config=edge")
    assert page.context["form"].version.number == version.number - 1
    text = markup(page)
    assert f"Rolled back in {back.number}, quarantined" in text


def test_of_a_quarantined_version_only_what_forbids_it_is_said(
    client: Client, version: ConfigVersion
) -> None:
    Quarantine.objects.create(
        config_hash=version.config_hash, outcome="by_hand", by="chen", at=timezone.now()
    )
    data = form(version=str(version.number))
    text = client.post("/rollouts/new/preview/", data, headers=PREVIEW).content.decode()
    assert f"/settings/quarantine/{version.config_hash}/" in text
    assert "quarantined" in text
    assert "this phase passes at once" not in text
    assert "get it" not in text.split('id="preview"')[1].split("</aside>")[0]


def test_the_plan_that_was_chosen_last_is_chosen_again(
    client: Client, version: ConfigVersion
) -> None:
    assert client.get("/rollouts/new/").context["form"].given.plan == "standard"
    drafted(client, plan="quick")
    assert client.get("/rollouts/new/").context["form"].given.plan == "quick"
    other = sign_in("someone", "operator")
    assert other.get("/rollouts/new/").context["form"].given.plan == "standard"


def test_labels_of_the_fleet_are_offered_to_spread_over(
    client: Client, version: ConfigVersion
) -> None:
    assert client.get("/rollouts/new/").context["form"].labels == ["region", "env"]


def test_the_choice_that_leaves_it_to_the_plan_says_what_that_is(
    client: Client, version: ConfigVersion
) -> None:
    text = markup(client.get("/rollouts/new/"))
    assert "as the plan says: roll back" in text
    assert "as the plan says: hold and ask" in text


def test_a_start_is_read_in_the_zone_of_the_browser(client: Client, version: ConfigVersion) -> None:
    drafted(client, start="at", start_at="2031-07-01T10:00", zone="Europe/Berlin")
    start_at = Rollout.objects.get().start_at
    assert start_at is not None
    assert start_at.isoformat() == "2031-07-01T08:00:00+00:00"


def test_a_label_that_nobody_has_is_said_in_the_preview(
    client: Client, version: ConfigVersion
) -> None:
    text = client.post(
        "/rollouts/new/preview/", form(q="nmae!=x"), headers=PREVIEW
    ).content.decode()
    assert "No agent has the label nmae; did you mean name?" in text


def test_the_review_shows_what_changes_and_how_long_it_takes(
    client: Client, version: ConfigVersion
) -> None:
    draft = drafted(client)
    text = markup(client.get(f"/rollouts/{draft.pk}/start/"))
    assert "send_batch_size: <mark>200</mark>" in text
    assert "When nothing stands in its way: about" in text
    assert "then an approval" in text


def test_the_gates_are_read_on_the_last_hour_after_the_page(
    client: Client, version: ConfigVersion
) -> None:
    draft = drafted(client)
    url = f"/rollouts/{draft.pk}/start/"
    headers = {"HX-Request": "true", "HX-Target": "dry-run"}
    part = client.get(url, headers=headers).content.decode()
    assert "<html" not in part
    assert "No gate can be read on the last hour" in part
    assert "No gate can be read on the last hour" in client.get(f"{url}?dry=1").content.decode()
    assert "No gate can be read" not in client.get(url).content.decode()
