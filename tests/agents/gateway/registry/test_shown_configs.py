"""Agents that report no status are confirmed by the effective config they show (OP-29)."""

from __future__ import annotations

import pytest

from agents.models import Delivery
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from agents.opamp.shown_config import SOURCE
from agents.simulator.effective import effective
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import SUPERVISOR, FakeAgent
from tests.agents.gateway.helpers import delivery, row, stored, want, write_now
from tests.agents.gateway.running import Starter
from tests.make.configs import make_body

APPLIED = pb.RemoteConfigStatuses_APPLIED
ONE = """
receivers: {otlp: {protocols: {grpc: {}}}}
exporters: {otlphttp: {endpoint: "https://a.example", headers: {authorization: "Bearer s3cret"}}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [otlphttp]}}}
"""
TWO = ONE.replace("logs", "traces")
QUIET = SUPERVISOR & ~bits.REPORTS_REMOTE_CONFIG


def shown(text: str) -> pb.EffectiveConfig:
    files = {"": pb.AgentConfigFile(body=effective(text.encode()))} if text else {}
    return pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map=files))


@pytest.fixture
def quiet(make_agent: MakeAgent, transport: str) -> FakeAgent:
    """An agent that reports no status and runs ONE by what it shows."""
    agent = make_agent(transport, capabilities=QUIET)
    agent.begin(effective_config=shown(""))
    config_hash = want(agent, text=ONE)
    assert agent.pushed().remote_config.config_hash.hex() == config_hash
    agent.say(effective_config=shown(ONE))
    stored(agent, running_hash=config_hash)
    return agent


def test_an_offer_is_confirmed_by_it_and_says_so(quiet: FakeAgent) -> None:
    settled = delivery(quiet, state="applied")
    assert settled.confirmed_by == SOURCE
    found = stored(quiet, config_hash=make_body(ONE), config_status=1)
    assert found.running_hash == make_body(ONE)


def test_its_secrets_are_compared_and_not_kept(quiet: FakeAgent) -> None:
    files = row(quiet).bodies.get(part="effective_config").body["files"]
    assert "s3cret" not in files[""]["body"]


def test_another_version_is_not_confirmed_by_the_old_one(quiet: FakeAgent) -> None:
    two = want(quiet, text=TWO)
    assert quiet.pushed().remote_config.config_hash.hex() == two
    quiet.say(effective_config=shown(ONE))
    quiet.say(effective_config=shown(ONE + "# again\n"))
    write_now(quiet)
    assert delivery(quiet, config_hash=two).state == "open"
    stored(quiet, running_hash=make_body(ONE))
    quiet.say(effective_config=shown(TWO))
    assert delivery(quiet, state="applied").config_hash == two


def test_one_that_goes_back_by_itself_is_seen(quiet: FakeAgent) -> None:
    two = want(quiet, text=TWO)
    quiet.pushed()
    quiet.say(effective_config=shown(TWO))
    stored(quiet, running_hash=two)
    quiet.say(effective_config=shown(ONE))
    assert stored(quiet, running_hash=make_body(ONE)).config_hash == make_body(ONE)


def test_a_config_of_somebody_else_is_none_of_ours(quiet: FakeAgent) -> None:
    quiet.say(effective_config=shown(ONE.replace("logs", "metrics")))
    assert stored(quiet, running_hash="", config_hash="").config_status is None


def test_an_empty_one_is_no_word(quiet: FakeAgent) -> None:
    """A collector that starts shows nothing for a moment."""
    quiet.say(effective_config=shown(""))
    quiet.say(effective_config=shown(ONE + "# started\n"))
    write_now(quiet)
    stored(quiet, running_hash=make_body(ONE))


def test_one_that_runs_it_already_is_asked_to_show_it_again(
    make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, capabilities=QUIET)
    agent.begin(effective_config=shown(ONE))
    write_now(agent)
    want(agent, text=ONE)
    assert agent.pushed().flags & bits.REPORT_FULL_STATE
    agent.say(effective_config=shown(ONE))
    assert delivery(agent, state="applied").confirmed_by == SOURCE


def test_one_that_shows_its_first_config_is_confirmed_at_once(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, capabilities=QUIET)
    agent.begin()
    two = want(agent, text=TWO)
    agent.pushed()
    write_now(agent)
    agent.close()
    again = make_agent(transport, at=start_gateway(), uid=agent.uid, capabilities=QUIET)
    again.begin(effective_config=shown(TWO))
    stored(again, running_hash=two)


def test_outcomes_by_an_agents_own_word_name_no_other_source(
    make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport)
    agent.begin()
    one = want(agent, text=ONE)
    agent.pushed()
    applied = pb.RemoteConfigStatus(last_remote_config_hash=bytes.fromhex(one), status=APPLIED)
    agent.say(remote_config_status=applied, effective_config=shown(ONE))
    assert delivery(agent, state="applied").confirmed_by == ""
    assert Delivery.objects.filter(confirmed_by=SOURCE).count() == 0
