"""Freeze windows, budgets, guards, quarantine and overrides through the pages."""

from __future__ import annotations

import pytest

from agents.models import Agent, Command
from rollouts.models import Budget, EnvironmentGuard, FreezeWindow, Waiver
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db

REASON = "Change freeze over the holidays."


def test_a_weekly_freeze_window_is_saved_and_shown() -> None:
    client = sign_in("root", "admin")
    data = {"name": "nights", "weekdays": ["0", "4"], "from_time": "18:00", "to_time": "06:00"}
    answer = client.post("/settings/freeze/", {**data, "time_zone": "UTC", "reason": REASON})
    assert answer.status_code == 303
    assert FreezeWindow.objects.get().weekdays == [0, 4]
    assert "Mon, Fri 18:00" in markup(client.get("/settings/freeze/"))


def test_a_wrong_time_is_said_and_the_form_is_kept() -> None:
    client = sign_in("root", "admin")
    data = {"name": "nights", "weekdays": ["0"], "from_time": "late", "reason": REASON}
    answer = client.post("/settings/freeze/", data)
    assert answer.status_code == 422
    assert "Write a time like 18:00" in answer.content.decode()
    assert 'value="nights"' in answer.content.decode()


def test_a_window_is_deleted_with_a_reason() -> None:
    client = sign_in("root", "admin")
    data = {"name": "nights", "weekdays": ["0"], "time_zone": "UTC", "reason": REASON}
    client.post("/settings/freeze/", data)
    client.post("/settings/freeze/", {"act": "delete", "name": "nights", "reason": REASON})
    assert not FreezeWindow.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "author", "operator", "approver"])
def test_only_an_administrator_changes_limits(role: str) -> None:
    client = sign_in("someone", role)
    data = {"label": "region", "max_agents": "5", "reason": REASON}
    assert client.post("/settings/budgets/", data).status_code == 403
    assert not Budget.objects.exists()
    assert "Needs the role admin" in client.get("/settings/budgets/").content.decode()


def test_a_budget_takes_a_share_as_people_write_it() -> None:
    client = sign_in("root", "admin")
    client.post("/settings/budgets/", {"label": "region", "max_share": "10%", "reason": REASON})
    assert Budget.objects.get().max_share == pytest.approx(0.1)


def test_a_share_without_its_unit_is_refused() -> None:
    client = sign_in("root", "admin")
    answer = client.post(
        "/settings/budgets/", {"label": "region", "max_share": "10", "reason": REASON}
    )
    assert answer.status_code == 422
    assert "10%" in answer.content.decode()


def test_a_guard_is_written_as_in_a_plan() -> None:
    client = sign_in("root", "admin")
    text = "thresholds:\n  failure_rate: {warning: 0.5%, critical: 2%}\n"
    data = {"name": "prod", "environment": "prod", "text": text, "reason": REASON}
    assert client.post("/settings/guards/", data).status_code == 303
    assert EnvironmentGuard.objects.get().environment == "prod"
    shown = client.get("/settings/guards/").content.decode()
    assert "Failure rate: warns at 0.5 %, acts at 2 %" in shown


@pytest.mark.parametrize(
    "text", ["a: [", "phases: []", "- x", "thresholds: {nonsense: {critical: 1%}}"]
)
def test_a_guard_that_cannot_be_read_is_refused(text: str) -> None:
    client = sign_in("root", "admin")
    data = {"name": "prod", "text": text, "reason": REASON}
    assert client.post("/settings/guards/", data).status_code == 422
    assert not EnvironmentGuard.objects.exists()


def test_a_gate_is_overridden_by_name_and_reason() -> None:
    versions = make_config("edge", 2)
    rollout = make_rollout(versions[1], agents=make_fleet(3, running=versions[0].config_hash))
    client = sign_in("chen", "approver")
    page = client.get(f"/rollouts/{rollout.pk}/").content.decode()
    assert f"/rollouts/{rollout.pk}/waive/?gate=criterion%3Afailure_rate" in page
    data = {"gate": "criterion:failure_rate", "phase": "staging", "reason": REASON}
    assert client.post(f"/rollouts/{rollout.pk}/waive/", data).status_code == 303
    assert Waiver.objects.get().gate == "criterion:failure_rate"
    assert "Overridden by chen" in client.get(f"/rollouts/{rollout.pk}/").content.decode()


def test_an_unknown_gate_is_not_overridden() -> None:
    versions = make_config("edge", 2)
    rollout = make_rollout(versions[1], agents=make_fleet(3, running=versions[0].config_hash))
    data = {"gate": "criterion:nonsense", "phase": "staging", "reason": REASON}
    answer = sign_in("chen", "approver").post(f"/rollouts/{rollout.pk}/waive/", data)
    assert answer.status_code == 404
    assert not Waiver.objects.exists()


def test_labels_of_an_agent_are_set_line_by_line() -> None:
    [agent] = make_fleet(1)
    client = sign_in("op", "operator")
    url = f"/agents/{agent.instance_uid}/label/"
    assert client.post(url, {"labels": "team=obs\ntier=gold"}).status_code == 303
    assert Agent.objects.get().operator_labels == {"team": "obs", "tier": "gold"}
    client.post(url, {"labels": "tier=gold"})
    assert Agent.objects.get().operator_labels == {"tier": "gold"}


def test_a_line_that_is_no_label_is_pointed_at() -> None:
    [agent] = make_fleet(1)
    answer = sign_in("op", "operator").post(
        f"/agents/{agent.instance_uid}/label/", {"labels": "a=b\nx"}
    )
    assert answer.status_code == 422
    assert "Line 2" in answer.content.decode()


def test_restarting_an_agent_needs_the_capability_and_a_reason() -> None:
    [agent] = make_fleet(1)
    client = sign_in("op", "operator")
    url = f"/agents/{agent.instance_uid}/restart/"
    assert client.post(url, {}).status_code == 422
    assert client.post(url, {"reason": REASON}).status_code == 409
    Agent.objects.update(capabilities=0x7 | 0x400)
    assert client.post(url, {"reason": REASON}).status_code == 303
    assert Command.objects.filter(agent=agent).exists()


def test_a_viewer_cannot_act_on_an_agent() -> None:
    [agent] = make_fleet(1)
    client = sign_in("vera", "viewer")
    for verb in ("label", "restart", "quarantine"):
        answer = client.post(f"/agents/{agent.instance_uid}/{verb}/", {"reason": REASON})
        assert answer.status_code == 403
