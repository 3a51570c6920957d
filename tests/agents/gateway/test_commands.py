"""Restart, custom messages, components, packages: OP-49 to OP-57, OP-58."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from accounts.actor import SYSTEM
from agents.actions.command import ask_full_state, restart, send_custom_message
from agents.models import Command, ComponentSet
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from console.lib.problems import Refused
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import SUPERVISOR, FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored, want, write_now
from tests.make.waiting import eventually

FORBIDDEN = pb.ServerCapabilities_OffersPackages | pb.ServerCapabilities_AcceptsPackagesStatus
COMPONENTS = pb.AvailableComponents(
    hash=b"\x01\x02",
    components={
        "processors": pb.ComponentDetails(sub_component_map={"transform": pb.ComponentDetails()})
    },
)


def names(answer: pb.ServerToAgent) -> set[str]:
    return {field.name for field, _ in answer.ListFields()}


def until(agent: FakeAgent, field: str) -> pb.ServerToAgent:
    """Return the first answer or push that has this field."""
    answers = iter(agent.pushed, None)
    return next(answer for answer in answers if answer.HasField(field))


def test_op_54_a_restart_stands_alone(agent: FakeAgent) -> None:
    agent.begin()
    stored(agent, connected=True)
    eventually(lambda: row(agent).capabilities)
    restart(agent_ids=[row(agent).pk], by=SYSTEM, reason="stuck")
    answer = until(agent, "command")
    assert names(answer) == {"instance_uid", "capabilities", "command"}
    assert answer.command.type == pb.CommandType_Restart


def test_op_54_a_waiting_config_comes_in_another_message(agent: FakeAgent) -> None:
    agent.begin()
    eventually(lambda: row(agent).capabilities)
    agent.close()
    want(agent)
    restart(agent_ids=[row(agent).pk], by=SYSTEM, reason="stuck")
    agent.connect()
    answers = [agent.say()]
    while not {"command", "remote_config"} <= set().union(*map(names, answers)):
        answers.append(agent.pushed())
    assert not any({"command", "remote_config"} <= names(answer) for answer in answers)


def test_op_54_a_restart_is_said_at_most_once(agent: FakeAgent) -> None:
    agent.begin()
    eventually(lambda: row(agent).capabilities)
    restart(agent_ids=[row(agent).pk], by=SYSTEM, reason="stuck")
    until(agent, "command")
    agent.close()
    agent.connect()
    assert not agent.say().HasField("command")
    assert Command.objects.get().taken_at is not None


def test_op_54_agents_that_accept_no_restart_are_refused(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=1)
    agent.begin()
    with pytest.raises(Refused):
        restart(agent_ids=[row(agent).pk], by=SYSTEM, reason="stuck")


def test_op_54_an_old_restart_is_not_said_any_more(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    eventually(lambda: row(agent).capabilities)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    restart(agent_ids=[row(agent).pk], by=SYSTEM, reason="stuck", now=long_ago)
    assert agent.hears_nothing(0.8)


def test_op_55_custom_capabilities_are_replaced(agent: FakeAgent) -> None:
    agent.begin(custom_capabilities=pb.CustomCapabilities(capabilities=["a/v1", "b"]))
    eventually(lambda: row(agent).custom_capabilities == ["a/v1", "b"])
    agent.say(custom_capabilities=pb.CustomCapabilities(capabilities=["c"]))
    eventually(lambda: row(agent).custom_capabilities == ["c"])


def test_op_56_a_custom_message_reaches_an_agent_that_announced_it(agent: FakeAgent) -> None:
    agent.begin(custom_capabilities=pb.CustomCapabilities(capabilities=["x.y/v1"]))
    eventually(lambda: row(agent).custom_capabilities)
    send_custom_message(
        agent_ids=[row(agent).pk], capability="x.y/v1", type="ask", data=b"\x00\x01", by=SYSTEM
    )
    message = until(agent, "custom_message").custom_message
    assert (message.capability, message.type, message.data) == ("x.y/v1", "ask", b"\x00\x01")


def test_op_56_a_capability_that_was_not_announced_is_refused(make_agent: MakeAgent) -> None:
    agent = make_agent()
    agent.begin()
    with pytest.raises(Refused):
        send_custom_message(
            agent_ids=[row(agent).pk], capability="x", type="t", data=b"", by=SYSTEM
        )


def test_op_56_a_message_of_an_unknown_capability_is_no_error(agent: FakeAgent) -> None:
    agent.begin()
    message = pb.CustomMessage(capability="nobody.knows", type="t", data=b"d")
    assert not agent.say(custom_message=message).HasField("error_response")


def test_op_57_components_are_asked_for_once_per_hash(make_agent: MakeAgent) -> None:
    first, second = make_agent("ws"), make_agent("http")
    flag = pb.ServerToAgentFlags_ReportAvailableComponents
    hash_only = pb.AvailableComponents(hash=b"\x01\x02")
    assert first.begin(available_components=hash_only).flags & flag
    first.say(available_components=COMPONENTS)
    assert not second.begin(available_components=hash_only).flags & flag
    found = eventually(ComponentSet.objects.first)
    assert (found.components_hash, found.names) == ("0102", ["processor:transform"])


def test_op_57_a_hash_alone_does_not_overwrite_the_list(agent: FakeAgent) -> None:
    agent.begin(available_components=COMPONENTS)
    eventually(ComponentSet.objects.exists)
    agent.say(available_components=pb.AvailableComponents(hash=b"\x01\x02"))
    stored(agent, sequence_num=1)
    assert ComponentSet.objects.get().names == ["processor:transform"]


def test_op_57_a_capability_that_is_missing_asks_for_nothing(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=SUPERVISOR & ~bits.REPORTS_AVAILABLE_COMPONENTS)
    assert not agent.begin(available_components=pb.AvailableComponents(hash=b"zz")).flags


def test_op_49_packages_are_neither_announced_nor_offered(
    make_agent: MakeAgent, transport: str
) -> None:
    agent = make_agent(transport, capabilities=0xFFFF)
    answer = agent.begin(package_statuses=pb.PackageStatuses())
    assert not answer.capabilities & FORBIDDEN
    assert not answer.HasField("packages_available")


def test_op_50_no_package_hash_is_made_up(make_agent: MakeAgent, transport: str) -> None:
    agent = make_agent(transport, capabilities=0xFFFF)
    unknown = pb.PackageStatuses(server_provided_all_packages_hash=b"\x01")
    assert not agent.begin(package_statuses=unknown).HasField("packages_available")


def test_op_52_the_gateway_serves_no_files(make_agent: MakeAgent) -> None:
    url = make_agent("http").gateway.url.replace("/v1/opamp", "/packages/otelcol")
    assert requests.get(url, timeout=5).status_code == 404


def test_op_58_a_serialized_answer_can_be_wrapped(agent: FakeAgent) -> None:
    agent.begin()
    extra = pb.ServerToAgent(custom_message=pb.CustomMessage(type="signed")).SerializeToString()
    agent.gateway.server.gateway.facts.wrap = lambda payload: payload + extra
    assert agent.say().custom_message.type == "signed"


def test_op_51_no_empty_set_of_packages_is_ever_sent(make_agent: MakeAgent, transport: str) -> None:
    agent = make_agent(transport, capabilities=0xFFFF)
    agent.begin()
    assert all(not agent.say().HasField("packages_available") for _ in range(3))


def test_op_53_an_empty_package_status_is_not_read_as_installed(agent: FakeAgent) -> None:
    agent.capabilities |= bits.REPORTS_PACKAGE_STATUSES
    statuses = pb.PackageStatuses(packages={"p": pb.PackageStatus()})
    assert not agent.begin(package_statuses=statuses).HasField("error_response")
    write_now(agent)
    assert not row(agent).events.filter(kind__contains="package").exists()


def test_op_15_an_operator_can_ask_for_the_full_state(agent: FakeAgent) -> None:
    agent.begin()
    stored(agent, connected=True)
    ask_full_state(agent_ids=[row(agent).pk], by=SYSTEM)
    assert agent.pushed().flags & pb.ServerToAgentFlags_ReportFullState
    assert not agent.say(**full_state()).flags
