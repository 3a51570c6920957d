"""What an approver reads before deciding, and deciding several at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import RoleBinding, User
from rollouts.actions.draft import draft_rollout
from rollouts.actions.start import start
from rollouts.loop.tick import tick_one
from rollouts.models import Approval, ConfigVersion, FreezeWindow, Phase, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_approval, make_rollout
from tests.rollouts.fleet import ALL_AT_ONCE, manual

pytestmark = pytest.mark.django_db

SECRET = "tg-hush-hush-1234567890"


def waiting(config: str = "edge", *, by: User | None = None, **preview: Any) -> Approval:
    versions = make_config(config, 2)
    agents = make_fleet(12, running=versions[0].config_hash)
    rollout = make_rollout(
        versions[1], agents=agents, by=by, phases=("passed", "passed", "awaiting_approval")
    )
    Rollout.objects.filter(pk=rollout.pk).update(preview=preview)
    Phase.objects.filter(rollout=rollout, state="passed").update(observed_s=65)
    return make_approval(rollout)


@pytest.fixture
def chen() -> Client:
    return sign_in("chen", "approver")


def test_the_changed_lines_are_in_the_card(chen: Client) -> None:
    waiting()
    text = markup(chen.get("/approvals/"))
    assert "v1 → v2" in text
    assert "send_batch_size: <mark>200</mark>" in text


def test_a_secret_that_changed_is_seen_and_not_shown(chen: Client) -> None:
    approval = waiting()
    for number, secret in ((1, SECRET), (2, SECRET + "-new")):
        version = ConfigVersion.objects.get(config__name="edge", number=number)
        text = f"exporters: {{otlp: {{headers: {{authorization: Bearer {secret}}}}}}}\n"
        version.body_ref.body = text.encode()
        version.body_ref.save()
    text = markup(chen.get("/approvals/"))
    assert SECRET not in text
    assert "secret" in text
    assert approval.phase.rollout.number in text


def test_what_was_seen_and_what_it_does_is_said(chen: Client) -> None:
    waiting(coverage={"missing": ["0.146.1"], "text": "canary covers 2 of 3; not covered: 0.146.1"})
    text = markup(chen.get("/approvals/"))
    assert "not covered: 0.146.1" in text
    assert "observed 1 min 5 s" in text
    assert "Way back: 12 of 12 ready." in text
    assert "No freeze window in the next 24 hours." in text
    assert "From then to the end: about" in text
    assert "Can approve: chen." in text


def test_a_freeze_that_comes_is_said(chen: Client) -> None:
    approval = waiting()
    Phase.objects.filter(pk=approval.phase_id).update(environments=["prod"])
    now = timezone.now()
    window = FreezeWindow.objects.create(
        name="friday",
        environment="prod",
        time_zone="UTC",
        starts_at=now + timedelta(hours=3),
        ends_at=now + timedelta(hours=9),
        reason="Nothing moves.",
        updated_by="chen",
        updated_at=now,
    )
    assert "The freeze friday begins before" in markup(chen.get("/approvals/"))
    FreezeWindow.objects.filter(pk=window.pk).update(starts_at=now - timedelta(hours=1))
    assert "Frozen by friday: it starts after" in markup(chen.get("/approvals/"))


def test_failed_agents_are_counted_now_as_well(chen: Client) -> None:
    approval = waiting()
    gate = {
        "gate": "floor:failures",
        "metric": "tolerated_failures",
        "value": 0.0,
        "limit": 0.1,
        "unit": "fraction",
        "verdict": "pass",
    }
    Approval.objects.filter(pk=approval.pk).update(evidence={"gates": [gate]})
    staging = Phase.objects.get(rollout=approval.phase.rollout, index=1)
    staging.counts = {"members": 4, "applied": 3, "failed": 1}
    staging.save(update_fields=["counts"])
    (card,) = chen.get("/approvals/").context["mine"]
    assert card.gates[0].asked.startswith("0")
    assert card.gates[0].now.startswith("25")


def test_who_can_approve_is_named(chen: Client) -> None:
    lin = make_user("lin", "operator", "approver")
    waiting(by=lin)
    client = Client()
    client.force_login(lin)
    text = markup(client.get("/approvals/"))
    assert "Can approve: chen." in text
    RoleBinding.objects.filter(user__username="chen").delete()
    assert "Nobody can approve it" in markup(client.get("/approvals/"))


def test_the_counts_are_in_the_part_that_follows(chen: Client) -> None:
    waiting()
    text = markup(chen.get("/approvals/"))
    assert "1 waits for you" in text


def asked(number: int) -> list[Approval]:
    """So many rollouts that really wait for a person, each of its own config."""
    operator = Actor.of(make_user("op", "operator"))
    for index in range(number):
        name = f"line{index}"
        versions = make_config(name, 2)
        make_fleet(3, running=versions[0].config_hash, line=name)
        plan = manual(ALL_AT_ONCE)
        draft = draft_rollout(config=name, plan=plan, selector=f"line={name}", by=operator)
        start(rollout_id=draft.pk, by=operator)
    while Approval.objects.waiting().count() < number:
        assert tick_one(timezone.now())
    return list(Approval.objects.waiting().order_by("pk"))


def test_several_are_approved_at_once_and_each_has_its_answer(chen: Client) -> None:
    first, second, third = asked(3)
    sent = {
        "id": [str(first.pk), str(second.pk)],
        f"digest.{first.pk}": first.digest,
        f"digest.{second.pk}": "what was seen is not what is",
        f"digest.{third.pk}": third.digest,
        "reason": "All canaries are clean.",
    }
    answer = chen.post("/approvals/approve/", sent, follow=True)
    text = markup(answer)
    states = {a.pk: a.state for a in Approval.objects.all()}
    assert (states[first.pk], states[second.pk], states[third.pk]) == (
        "approved",
        "waiting",
        "waiting",
    )
    assert Approval.objects.get(pk=first.pk).reason == "All canaries are clean."
    assert f"{first.phase.rollout.number} is approved" in text
    assert f"{second.phase.rollout.number} was not approved" in text


def test_who_may_not_approve_gets_a_no_for_each() -> None:
    (first,) = asked(1)
    sent = {"id": [str(first.pk)], f"digest.{first.pk}": first.digest}
    text = markup(sign_in("vera", "viewer").post("/approvals/approve/", sent, follow=True))
    assert "was not approved" in text
    assert Approval.objects.get().state == "waiting"


def test_nothing_ticked_is_said(chen: Client) -> None:
    assert "Nothing was ticked" in markup(chen.post("/approvals/approve/", {}, follow=True))


def test_a_red_gate_cannot_be_ticked(chen: Client) -> None:
    approval = waiting()
    gate = {"gate": "criterion:x", "metric": "x", "value": 1, "limit": 0, "verdict": "fail"}
    Approval.objects.filter(pk=approval.pk).update(evidence={"gates": [gate]})
    assert f'id="tick-{approval.pk}"' not in chen.get("/approvals/").content.decode()
