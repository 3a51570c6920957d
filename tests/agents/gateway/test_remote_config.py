"""Remote config: offers, statuses, refusals. OP-26 to OP-33."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from agents.models import ConfigBody, Delivery, News, Quarantine
from agents.opamp import opamp_pb2 as pb
from agents.opamp.bits import ACCEPTS_REMOTE_CONFIG, REPORTS_HEALTH, REPORTS_REMOTE_CONFIG
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, config_status, full_state, showing
from tests.agents.gateway.helpers import (
    GOOD,
    OTHER,
    delivery,
    push,
    row,
    status,
    stored,
    want,
    write_now,
)
from tests.agents.gateway.running import QUICK, Starter
from tests.make.times import NOW
from tests.make.waiting import eventually

APPLIED = pb.RemoteConfigStatuses_APPLIED
APPLYING = pb.RemoteConfigStatuses_APPLYING
FAILED = pb.RemoteConfigStatuses_FAILED


def offered(answer: pb.ServerToAgent) -> str:
    """Return the hash offered in an answer, or nothing."""
    return answer.remote_config.config_hash.hex()


def test_op_26_a_differing_hash_is_offered_and_an_equal_one_is_not(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    assert offered(agent.pushed()) == config_hash
    assert not offered(agent.say(remote_config_status=config_status(config_hash, APPLIED)))
    assert not offered(agent.say())


def test_op_26_an_agent_that_never_reported_a_hash_is_offered_one(agent: FakeAgent) -> None:
    agent.begin()
    agent.close()
    config_hash = want(agent)
    agent.connect()
    assert offered(agent.say()) == config_hash


def test_op_26_a_reported_hash_counts_until_another_is_reported(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    stored(agent, config_hash=config_hash)
    agent.close()
    agent.connect()
    assert not offered(agent.say())


def test_op_27_the_hash_on_the_wire_is_the_sha256_of_the_file(agent: FakeAgent) -> None:
    agent.begin()
    want(agent)
    remote = agent.pushed().remote_config
    assert remote.config_hash == hashlib.sha256(GOOD.encode()).digest()
    assert list(remote.config.config_map) == [""]
    assert remote.config.config_map[""].content_type == "text/yaml"


def test_op_28_a_refused_hash_is_not_offered_again(agent: FakeAgent) -> None:
    agent.begin()
    first = want(agent, text=OTHER)
    agent.pushed()
    agent.say(remote_config_status=config_status(first, APPLIED))
    bad = want(agent, text=GOOD)
    agent.pushed()
    agent.say(remote_config_status=config_status(bad, FAILED, "no such receiver"))
    answer = agent.say(remote_config_status=config_status(first, APPLIED))
    assert not offered(answer)
    assert delivery(agent, state="failed").error == "no such receiver"
    stored(agent, config_hash=first, running_hash=first)
    assert Quarantine.objects.get().reason == "no such receiver"


def test_op_28_a_refusal_is_remembered_over_a_reconnect(agent: FakeAgent) -> None:
    agent.begin()
    bad = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(bad, FAILED, "no"))
    eventually(Quarantine.objects.exists)
    agent.close()
    agent.connect()
    assert not offered(agent.say(seq=0, **full_state()))


def test_op_28_a_new_revision_is_offered_after_a_refusal(agent: FakeAgent) -> None:
    agent.begin()
    bad = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(bad, FAILED, "no"))
    assert offered_next(agent, want(agent, text=OTHER))


def offered_next(agent: FakeAgent, config_hash: str) -> bool:
    return offered(agent.pushed()) == config_hash


def test_op_28_an_operators_retry_is_sent_though_the_hash_is_the_same(agent: FakeAgent) -> None:
    agent.begin()
    bad = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(bad, FAILED, "no"))
    eventually(Quarantine.objects.exists)
    Quarantine.objects.update(lifted_at=NOW)
    push(agent, config_hash=bad)
    assert offered(agent.pushed()) == bad


def test_op_28_an_old_refusal_said_again_does_not_settle_a_retry(agent: FakeAgent) -> None:
    agent.begin()
    bad = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(bad, FAILED, "no"))
    eventually(Quarantine.objects.exists)
    agent.close()
    Quarantine.objects.update(lifted_at=NOW)
    push(agent, config_hash=bad)
    agent.connect()
    again = full_state(remote_config_status=config_status(bad, FAILED, "no"))
    assert offered(agent.say(seq=0, **again)) == bad
    agent.say(remote_config_status=config_status(bad, APPLIED))
    delivery(agent, config_hash=bad, state="applied")


def test_op_29_without_statuses_a_config_is_sent_once_a_connection(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=ACCEPTS_REMOTE_CONFIG | REPORTS_HEALTH | 1)
    agent.begin()
    config_hash = want(agent)
    assert offered(agent.pushed()) == config_hash
    assert not offered(agent.say())
    agent.close()
    agent.connect()
    assert offered(agent.say()) == config_hash


def test_op_30_acknowledgement_and_outcome_are_kept_apart(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, APPLYING))
    waiting = eventually(lambda: Delivery.objects.filter(acknowledged_at__isnull=False).first())
    assert waiting.state == "open"
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    done = delivery(agent, state="applied")
    assert done.sent_at
    assert done.acknowledged_at
    assert done.settled_at
    assert done.sent_at <= done.acknowledged_at <= done.settled_at


def test_op_30_a_skipped_intermediate_status_is_fine(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    assert delivery(agent, state="applied").acknowledged_at is not None


def test_op_30_a_status_of_another_hash_settles_nothing_and_is_kept(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status("ab" * 32, APPLIED))
    stored(agent, config_hash="ab" * 32)
    assert delivery(agent).state == "open"
    assert delivery(agent).config_hash == config_hash


def test_op_30_a_huge_error_text_is_cut(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, FAILED, "x" * 300_000))
    assert len(delivery(agent, state="failed").error) == 64 * 1024


def test_op_30_a_later_healthy_does_not_undo_a_failure(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, FAILED, "no"))
    agent.say(health=pb.ComponentHealth(healthy=True, status="again"))
    stored(agent, health_status="again")
    assert delivery(agent).state == "failed"
    assert status(agent).config_status == FAILED


def test_op_30_a_failure_and_an_applied_written_together_are_a_failure(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    gateway = start_gateway(intervals=replace(QUICK, flush_s=1.0))
    agent = make_agent(transport, at=gateway)
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, FAILED, "no"))
    applied = config_status(config_hash, APPLIED)
    agent.say(remote_config_status=applied, effective_config=showing(GOOD))
    stored(agent, config_status=APPLIED)
    assert delivery(agent).state == "failed"


def test_op_31_no_wish_is_no_config_and_never_an_empty_map(agent: FakeAgent) -> None:
    assert not agent.begin().HasField("remote_config")
    assert not agent.say().HasField("remote_config")


def test_op_31_an_agent_that_loses_its_wish_is_sent_nothing(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent)
    agent.pushed()
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    row(agent).desired.delete()
    agent.close()
    agent.connect()
    assert not agent.say().HasField("remote_config")


@pytest.mark.parametrize("body", [b"a: 1\r\nb: 2\r\n", b"\xff\xfe\x00bad utf-8", b" "])
def test_op_32_bytes_survive_unchanged(agent: FakeAgent, body: bytes) -> None:
    config_hash = hashlib.sha256(body).hexdigest()
    ConfigBody.objects.create(
        config_hash=config_hash, body=body, size_bytes=len(body), created_at=NOW
    )
    agent.begin()
    push(agent, config_hash=config_hash)
    assert agent.pushed().remote_config.config.config_map[""].body == body


def test_op_33_a_change_is_pushed_without_waiting_for_a_report(make_agent: MakeAgent) -> None:
    agent = make_agent("ws")
    agent.begin()
    config_hash = want(agent)
    assert offered(agent.receive()) == config_hash


def test_op_33_news_reach_those_who_asked(agent: FakeAgent) -> None:
    agent.begin()
    config_hash = want(agent, topic="rollout:9")
    agent.pushed()
    write_now(agent)
    News.objects.all().delete()
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    news = eventually(lambda: News.objects.filter(topic="rollout:9").first())
    assert news.agent_id == row(agent).pk


def test_an_agent_that_had_reported_the_hash_is_settled_without_being_asked(
    agent: FakeAgent,
) -> None:
    agent.begin()
    config_hash = hashlib.sha256(GOOD.encode()).hexdigest()
    agent.say(remote_config_status=config_status(config_hash, APPLIED))
    stored(agent, running_hash=config_hash)
    want(agent)
    delivery(agent, state="applied")
    assert not offered(agent.say())


def test_reports_remote_config_is_needed_for_a_status_to_count(make_agent: MakeAgent) -> None:
    agent = make_agent(capabilities=1 | ACCEPTS_REMOTE_CONFIG)
    agent.begin(remote_config_status=config_status("cd" * 32, APPLIED))
    write_now(agent)
    assert status(agent).config_hash == ""
    agent.capabilities |= REPORTS_REMOTE_CONFIG
    agent.say(remote_config_status=config_status("cd" * 32, APPLIED))
    stored(agent, config_hash="cd" * 32)
