"""What people do to one agent from its page: reports, settings, messages, a new id."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent, AgentStatus, Command, Delivery, DesiredSettings
from agents.opamp import bits
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db

REASON = "Moves to the new collector gateway."
OFFER = """\
own_metrics:
  destination_endpoint: https://otlp.example/v1/metrics
  headers: {Authorization: Bearer hush}
"""


@pytest.fixture
def agent() -> Agent:
    [agent] = make_fleet(1)
    agent.capabilities = bits.REPORTS_OWN_METRICS | bits.ACCEPTS_RESTART_COMMAND
    agent.custom_capabilities = ["com.example.logs"]
    agent.save()
    return agent


def post(agent: Agent, act: str, role: str = "operator", **typed: str) -> Any:
    url = f"/agents/{agent.instance_uid}/{act}/"
    return sign_in(secrets.token_hex(4), role).post(url, {"reason": REASON, **typed})


def page(agent: Agent) -> str:
    return (
        sign_in(secrets.token_hex(4), "viewer")
        .get(f"/agents/{agent.instance_uid}/")
        .content.decode()
    )


def test_settings_are_offered_and_shown_without_what_is_secret(agent: Agent) -> None:
    assert post(agent, "settings", settings=OFFER).status_code == 303
    wanted = DesiredSettings.objects.get(agent=agent)
    assert wanted.settings["own_metrics"]["headers"] == {"Authorization": "Bearer hush"}
    text = page(agent)
    assert "otlp.example" in text
    assert "Waits for the agent" in text
    assert "hush" not in text


def test_the_word_of_the_agent_about_settings_is_shown(agent: Agent) -> None:
    post(agent, "settings", settings=OFFER)
    sent = AgentStatus.objects.filter(agent=agent)
    sent.update(settings_offered_hash="ab" * 32, settings_offered_at=timezone.now())
    assert "Sent, no answer yet" in page(agent)
    sent.update(settings_offered_at=timezone.now() - timedelta(minutes=6))
    DesiredSettings.objects.update(at=timezone.now() - timedelta(minutes=7))
    assert "this agent does not answer settings" in page(agent)
    error = "no route to otlp.example"
    sent.update(settings_hash="ab" * 32, settings_status=3, settings_error=error)
    assert "no route to otlp.example" in page(agent)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("own_metrics: {destination_endpoint: nowhere}", "settings:1"),
        ("own_metrix: {}", "did you mean own_metrics"),
        ("opamp: {destination_endpoint: ws://a/, heartbeat_interval_seconds: 0}", "0 would end"),
        ("own_metrics: {tls: {insecure_skip_verify: true}}", "never offered"),
        ("own_metrics: {headers: {a: 1}}", "not text"),
        ("own_metrics: [", "settings:1"),
        ("", "one YAML document"),
        ("{}", "nothing is offered"),
        ("own_metrics: nowhere", "not a mapping"),
    ],
)
def test_wrong_settings_are_pointed_at_and_what_was_typed_is_kept(
    agent: Agent, typed: str, says: str
) -> None:
    answer = post(agent, "settings", settings=typed)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not DesiredSettings.objects.exists()
    assert answer.context["fields"][0].value == typed


def test_a_custom_message_goes_to_a_capability_that_was_announced(agent: Agent) -> None:
    typed = {"capability": "com.example.logs", "type": "level", "data": "debug"}
    assert post(agent, "message", **typed).status_code == 303
    command = Command.objects.get(agent=agent)
    assert (command.details["capability"], bytes(command.data)) == ("com.example.logs", b"debug")
    assert post(agent, "message", **{**typed, "capability": "another"}).status_code == 409


def test_a_full_report_needs_no_reason_and_a_new_id_does(agent: Agent) -> None:
    assert post(agent, "report", reason="").status_code == 303
    assert Command.objects.get().kind == Command.Kind.FULL_STATE
    assert post(agent, "rename", reason="").status_code == 422
    assert post(agent, "rename").status_code == 303
    assert Command.objects.filter(kind=Command.Kind.RENAME).exists()


@pytest.mark.parametrize("act", ["settings", "message", "report", "rename"])
def test_a_viewer_does_none_of_it(agent: Agent, act: str) -> None:
    assert post(agent, act, role="viewer", settings=OFFER).status_code == 403
    assert not Command.objects.exists()
    assert not DesiredSettings.objects.exists()


def test_the_menu_says_what_an_agent_lacks() -> None:
    [agent] = make_fleet(1)
    text = sign_in("op", "operator").get(f"/agents/{agent.instance_uid}/").content.decode()
    assert "AcceptsRestartCommand is missing" in text
    assert "It accepts no connection settings of any kind." in text
    assert "It announced no custom capability." in text


def test_the_history_tells_what_became_of_settings(agent: Agent) -> None:
    for status in (1, 3, "odd"):
        details = {"status": status, "settings_hash": "ab" * 32}
        agent.events.create(at=timezone.now(), kind="settings_status", details=details)
    text = page(agent)
    for said in ("applied", "failed", "no status"):
        assert f"Connection settings: {said}: settings hash abababab" in text


def refusing() -> Agent:
    old, new = make_config("edge", 2)
    [agent] = make_fleet(1, running=old.config_hash)
    Agent.objects.update(capabilities=bits.ACCEPTS_REMOTE_CONFIG)
    agent.desired.config_hash = new.config_hash
    agent.desired.save()
    AgentStatus.objects.filter(agent=agent).update(
        config_hash=new.config_hash, config_status=3, config_error="too many"
    )
    return agent


def test_to_retry_is_the_first_thing_offered_when_the_config_failed() -> None:
    agent = refusing()
    text = sign_in("olga", "operator").get(f"/agents/{agent.instance_uid}/").content.decode()
    assert f'<a class="btn primary" href="/agents/{agent.instance_uid}/retry/"' in " ".join(
        text.split()
    )
    assert post(agent, "retry", reason="").status_code == 303
    assert Delivery.objects.get(agent=agent).state == "open"


def test_who_may_not_retry_reads_why() -> None:
    text = page(refusing())
    assert 'class="btn primary" type="button" disabled' in " ".join(text.split())
    assert "Needs the role" in text


def test_a_healthy_agent_has_retry_in_its_menu_with_why_not(agent: Agent) -> None:
    text = sign_in("olga", "operator").get(f"/agents/{agent.instance_uid}/").content.decode()
    assert "btn primary" not in text
    assert "It is assigned no config." in text
