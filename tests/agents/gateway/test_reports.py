"""What agents report, and what is kept of it: OP-34, OP-35, OP-37; security.md R45 and 8."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.forms.models import model_to_dict

from agents.gateway.writing.rows import MAX_EFFECTIVE_CHARS, effective_files
from agents.models import AgentBody, AgentEvent
from agents.opamp import opamp_pb2 as pb
from agents.opamp.redact import Redactor
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, description, full_state
from tests.agents.gateway.helpers import row, status, stored, write_now
from tests.agents.gateway.running import QUICK, Starter
from tests.make.waiting import eventually

NANOS = 1_700_000_000_123_456_789


def effective(text: str) -> pb.EffectiveConfig:
    files = {"": pb.AgentConfigFile(body=text.encode(), content_type="text/yaml")}
    return pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map=files))


def body(agent: FakeAgent, part: str) -> AgentBody:
    found = eventually(lambda: AgentBody.objects.filter(agent=row(agent), part=part).first())
    assert found is not None
    return found


def test_op_34_the_effective_config_is_kept_without_its_secrets(agent: FakeAgent) -> None:
    agent.begin(effective_config=effective("exporters:\n  otlp:\n    api_key: s3cret\n"))
    text = body(agent, "effective_config").body["files"][""]["body"]
    assert "s3cret" not in text
    assert "api_key: redacted:" in text


def test_op_34_an_empty_effective_config_is_valid(agent: FakeAgent) -> None:
    assert not agent.begin(effective_config=pb.EffectiveConfig()).HasField("error_response")
    assert body(agent, "effective_config").body == {"files": {}}


def test_op_34_an_unchanged_effective_config_is_not_written_again(agent: FakeAgent) -> None:
    agent.begin(effective_config=effective("a: 1\n"))
    before = body(agent, "effective_config").at
    agent.say(effective_config=effective("a: 1\n"), health=pb.ComponentHealth(status="x"))
    stored(agent, health_status="x")
    assert body(agent, "effective_config").at == before


def test_op_35_a_deep_tree_is_kept_to_its_limit(make_agent: MakeAgent) -> None:
    tree = pb.ComponentHealth(healthy=False, last_error="deep")
    for _ in range(49):
        tree = pb.ComponentHealth(healthy=True, component_health_map={"c": tree})
    agent = make_agent("ws")
    agent.begin(health=tree)
    assert json.dumps(body(agent, "health").body).count('"components"') == 49


def test_op_35_times_keep_their_precision(agent: FakeAgent) -> None:
    agent.begin(health=pb.ComponentHealth(healthy=True, start_time_unix_nano=NANOS))
    started_at = stored(agent, healthy=True).started_at
    assert started_at is not None
    assert started_at.isoformat() == "2023-11-14T22:13:20.123456+00:00"


def test_op_35_the_largest_time_is_no_error(agent: FakeAgent) -> None:
    agent.begin(health=pb.ComponentHealth(healthy=True, start_time_unix_nano=2**64 - 1))
    started_at = stored(agent, healthy=True).started_at
    assert started_at is not None
    assert started_at.year == 2554


def test_op_35_unhealthy_without_a_reason_is_no_finding_before_the_first_healthy(
    agent: FakeAgent,
) -> None:
    agent.begin(health=pb.ComponentHealth(healthy=False))
    write_now(agent)
    assert status(agent).healthy is None
    agent.say(health=pb.ComponentHealth(healthy=False, status="StatusStarting"))
    assert stored(agent, health_status="StatusStarting").healthy is None
    agent.say(health=pb.ComponentHealth(healthy=True))
    stored(agent, healthy=True)
    agent.say(health=pb.ComponentHealth(healthy=False, status="StatusStopping"))
    stored(agent, healthy=False)


def test_op_35_the_first_unhealthy_with_a_reason_is_one(agent: FakeAgent) -> None:
    agent.begin(health=pb.ComponentHealth(healthy=False, last_error="exit code 1"))
    assert stored(agent, healthy=False).health_error == "exit code 1"


def test_op_36_a_heartbeat_writes_nothing(start_gateway: Starter, make_agent: MakeAgent) -> None:
    # The walk that notes when agents were last heard is another thing.
    agent = make_agent("ws", at=start_gateway(intervals=replace(QUICK, last_seen_s=600.0)))
    agent.begin()
    write_now(agent)
    before = model_to_dict(status(agent))
    for _ in range(5):
        agent.say()
    assert agent.gateway.server.gateway.flusher.unwritten == 0
    assert model_to_dict(status(agent)) == before


def test_op_36_the_sweep_writes_when_agents_were_last_heard(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    stored(agent, connected=True)
    agent.say()
    agent.say()
    stored(agent, sequence_num=2)


def test_labels_are_the_attributes_and_the_version(agent: FakeAgent) -> None:
    agent.begin(agent_description=description(env="prod", region="eu"))
    found = eventually(lambda: row(agent).labels)
    assert found["env"] == "prod"
    assert found["version"] == found["service.version"] == "1.2.3"


def test_attributes_are_limited(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    many = {f"k{i}": "x" * 5000 for i in range(300)}
    agent.begin(agent_description=description(**many))
    found = eventually(lambda: row(agent).non_identifying)
    assert len(found) == 256
    assert max(map(len, found.values())) == 4096


def in_latin_1(agent: FakeAgent, **parts: Any) -> pb.ServerToAgent:
    """Say something with each § as one byte that is no UTF-8."""
    raw = agent.message(**parts).SerializeToString()
    # One byte for two would change the lengths: a space makes up for it.
    return agent.exchange_raw(raw.replace("§".encode(), b"\xa7 "))


def test_one_bad_byte_loses_no_report_and_is_noted_once(agent: FakeAgent) -> None:
    agent.begin(health=pb.ComponentHealth(healthy=True))
    for number in (1, 2):
        health = pb.ComponentHealth(healthy=False, last_error=f"§{number} disk full")
        assert not in_latin_1(agent, health=health).HasField("error_response")
    stored(agent, healthy=False, health_error="\ufffd 2 disk full")
    write_now(agent)
    notes = AgentEvent.objects.filter(agent=row(agent), kind="bad_text")
    assert [note.details for note in notes] == [{"part": "health", "texts": 1}]


def test_a_description_with_a_bad_byte_is_kept(agent: FakeAgent) -> None:
    agent.connect()
    in_latin_1(agent, **full_state(agent_description=description(rack="§12", env="prod")))
    found = eventually(lambda: row(agent).labels)
    assert (found["rack"], found["env"]) == ("\ufffd 12", "prod")


def test_what_is_no_message_at_all_is_refused_as_before(agent: FakeAgent) -> None:
    agent.begin()
    raw = agent.message(health=pb.ComponentHealth(last_error="§" * 4)).SerializeToString()
    spoilt = raw.replace("§".encode() * 4, b"\xff" * 8)[:-3]
    assert agent.exchange_raw(spoilt).HasField("error_response")


def test_a_change_behind_the_cut_of_a_large_effective_config_is_seen(agent: FakeAgent) -> None:
    first = "a: 1\n" * (MAX_EFFECTIVE_CHARS // 5) + "secret_end: 1\n"
    agent.begin(effective_config=effective(first))
    before = body(agent, "effective_config")
    assert before.body["files"][""]["cut"]
    agent.say(effective_config=effective(first.replace("secret_end: 1", "secret_end: 2")))
    after = eventually(
        AgentBody.objects.filter(agent=row(agent), part="effective_config")
        .exclude(body_hash=before.body_hash)
        .first
    )
    assert after.body["files"] == before.body["files"]
    assert "secret_end" not in json.dumps(after.body)


def test_a_change_in_the_last_of_many_files_is_seen() -> None:
    def files(last: str) -> pb.EffectiveConfig:
        texts = {f"{number:03}.yaml": "a: 1\n" for number in range(300)} | {"zzz.yaml": last}
        many = {name: pb.AgentConfigFile(body=text.encode()) for name, text in texts.items()}
        return pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map=many))

    one, two = (effective_files(files(last), Redactor(b"key")) for last in ("a: 1\n", "a: 2\n"))
    assert one["files"] == two["files"]
    assert one["whole"] != two["whole"]


def test_op_35_the_component_that_is_not_well_is_kept_by_name(agent: FakeAgent) -> None:
    sick = pb.ComponentHealth(healthy=False, last_error="connection refused")
    pipeline = pb.ComponentHealth(healthy=False, component_health_map={"exporter:otlp/eu": sick})
    below = {"pipeline:traces": pipeline}
    agent.begin(health=pb.ComponentHealth(healthy=True, component_health_map=below))
    stored(agent, healthy=True, sick_component="exporter otlp/eu: connection refused")
    agent.say(health=pb.ComponentHealth(healthy=True))
    stored(agent, healthy=True, sick_component="")
