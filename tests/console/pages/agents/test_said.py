"""What an agent said, on its page: whole, once, with the line of the version it was about."""

from __future__ import annotations

import pytest

from agents.models import Agent, AgentStatus
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db
ERROR = "failed:\n\nprocessors::batch::send_batch_size: <b>too</b> many"


def page_of(agent: Agent) -> str:
    return markup(sign_in("vera", "viewer").get(f"/agents/{agent.instance_uid}/"))


def refusing() -> Agent:
    old, new = make_config("edge", 2)
    [agent] = make_fleet(1, running=old.config_hash)
    agent.desired.config_hash = new.config_hash
    agent.desired.save()
    AgentStatus.objects.filter(agent=agent).update(
        config_hash=new.config_hash, config_status=3, config_error=ERROR
    )
    return agent


def test_a_refusal_names_the_line_of_what_was_refused_beside_what_runs() -> None:
    page = page_of(refusing())
    assert "&lt;b&gt;too&lt;/b&gt; many" in page
    assert '<a href="/configs/edge/v/2/#L6">line 6</a> <code>send_batch_size: 200</code>' in page
    assert 'v1 had <a href="/configs/edge/v/1/#L6">' in page


def test_bad_health_names_the_line_of_what_runs() -> None:
    [version] = make_config("edge", 1)
    [agent] = make_fleet(1, running=version.config_hash)
    status = AgentStatus.objects.filter(agent=agent)
    status.update(healthy=False, health_error="exporter debug: out of memory")
    page = page_of(agent)
    assert "exporter debug: out of memory" in page
    assert '<a href="/configs/edge/v/1/#L8">line 8</a> <code>debug:</code>' in page


def test_an_agent_that_says_nothing_has_no_block() -> None:
    [version] = make_config("edge", 1)
    [agent] = make_fleet(1, running=version.config_hash)
    assert "What the agent said" not in page_of(agent)


def test_an_attribute_that_is_a_label_stands_there_once() -> None:
    [agent] = make_fleet(1, team="obs")
    agent.identifying = {"team": "obs", "service.instance.id": "abc-123"}
    agent.non_identifying = {"region": "reported-elsewhere"}
    agent.save()
    page = page_of(agent)
    assert page.count("<dt><code>team</code></dt>") == 0
    assert "team=obs" in page
    assert "<dd> abc-123 </dd>" in page
    assert "<dd> reported-elsewhere </dd>" in page  # an operator's label says otherwise
