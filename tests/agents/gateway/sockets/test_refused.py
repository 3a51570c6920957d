"""Who is refused at the door is seen by operators: from where, why, since when, how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from accounts.actor import SYSTEM
from agents.actions.tokens import issue_token
from agents.gateway.options import Limits
from agents.gateway.refusals import MAX_IDS, MAX_WAITING, OTHERS, Refusals
from agents.models import Agent, RefusedAgent
from agents.opamp.uids import as_text, claimed
from agents.refused import forget, still_refused
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row
from tests.agents.gateway.running import Starter
from tests.make.waiting import eventually

ULID = b"01ARZ3NDEKTSV4RRFFQ69G5FAV"  # 26 characters, as clients of old versions send it


def refused(**wanted: object) -> RefusedAgent:
    """Wait until such a row is written."""
    found: RefusedAgent = eventually(
        RefusedAgent.objects.filter(**wanted).first, f"a refusal like {wanted}"
    )
    return found


def test_an_id_of_26_characters_is_named(agent: FakeAgent) -> None:
    agent.uid = ULID
    for _ in range(3):
        if agent.sequence_num < 0:
            agent.connect()
        answer = agent.say(**full_state())
        assert "26 bytes" in answer.error_response.error_message
    found = refused(claimed_id=ULID.decode(), times=3)
    assert (found.address, found.reason, found.credential) == ("127.0.0.1", "malformed", "loopback")
    assert "it must have 16" in found.detail
    assert found.first_at <= found.last_at
    assert not Agent.objects.exists()


def test_bytes_that_are_no_message_are_seen(agent: FakeAgent) -> None:
    agent.connect()
    agent.exchange_raw(b"\xff\xff\xff\xff")
    assert refused(reason="malformed").claimed_id == ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "credential_missing"),
        ({"Authorization": "Bearer tg_a_notatoken-but-secret"}, "credential_invalid"),
    ],
)
def test_a_wrong_credential_is_seen_and_its_secret_is_not(
    start_gateway: Starter,
    make_agent: MakeAgent,
    transport: str,
    headers: dict[str, str],
    reason: str,
) -> None:
    gateway = start_gateway(auth="token")
    said = {**headers, "OpAMP-Instance-UID": "0192f2b4-1111-7222-8333-944455566677"}
    agent = make_agent(transport, at=gateway, headers=said)
    if transport == "ws":
        with pytest.raises(InvalidStatus):
            agent.connect()
    else:
        assert agent.connect().post(b"").status_code == 401
    found = refused(reason=reason)
    assert found.claimed_id == said["OpAMP-Instance-UID"]
    assert found.credential == ""
    assert "notatoken" not in str(RefusedAgent.objects.values_list())


def test_an_expired_token_is_named(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    past = timezone.now() - timedelta(days=1)
    token, secret = issue_token(name="edge", by=SYSTEM, expires_at=past)
    headers = {"Authorization": f"Bearer {secret}"}
    agent = make_agent(transport, at=start_gateway(auth="token"), headers=headers)
    if transport == "ws":
        with pytest.raises(InvalidStatus):
            agent.connect()
    else:
        agent.connect().post(b"")
    assert refused(reason="token_expired").credential == f"pool:{token.pk}"


def test_a_uid_of_another_credential_is_named(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    gateway = start_gateway(auth="token")
    first, second = (issue_token(name=n, by=SYSTEM) for n in ("one", "two"))
    owner = make_agent("ws", at=gateway, headers={"Authorization": f"Bearer {first[1]}"})
    owner.begin()
    headers = {"Authorization": f"Bearer {second[1]}"}
    thief = make_agent(transport, at=gateway, uid=owner.uid, headers=headers).connect()
    if transport == "ws":
        thief.say(**full_state())
    else:
        thief.post(thief.message(**full_state()).SerializeToString())
    found = refused(reason="uid_mismatch")
    assert (found.claimed_id, found.credential) == (as_text(owner.uid), f"pool:{second[0].pk}")


def test_too_large_a_message_is_seen(
    start_gateway: Starter, make_agent: MakeAgent, transport: str
) -> None:
    gateway = start_gateway(limits=Limits(message_bytes=1000))
    agent = make_agent(transport, at=gateway).connect()
    if transport == "ws":
        agent.ws.send(b"\0" * 2000)
        assert agent.closed_with() == 1009
    else:
        assert agent.post(b"\0" * 2000).status_code == 413
    assert "1,000 bytes" in refused(reason__in=["too_large", "message_too_large"]).detail


def test_attempts_of_one_are_one_row(start_gateway: Starter, make_agent: MakeAgent) -> None:
    gateway = start_gateway(auth="token")
    agent = make_agent("http", at=gateway).connect()
    for _ in range(5):
        agent.post(b"")
    refused(reason="credential_missing", times=5)
    assert RefusedAgent.objects.count() == 1


def test_a_flood_of_ids_stays_bounded(start_gateway: Starter) -> None:
    gateway = start_gateway()

    async def flood() -> None:
        for n in range(4000):
            gateway.server.gateway.refusals.note("192.0.2.1", "malformed", f"id-{n}")
        for n in range(4000):
            gateway.server.gateway.refusals.note(f"192.0.2.{n}", "malformed", "x")
        await gateway.server.sweep.write_refused()

    gateway.run(flood())
    rows = RefusedAgent.objects
    assert rows.filter(address="192.0.2.1").count() == MAX_IDS + 1
    assert rows.get(address="192.0.2.1", claimed_id=OTHERS).times >= 4000 - MAX_IDS
    assert rows.count() <= MAX_WAITING + 2
    assert sum(rows.values_list("times", flat=True)) == 8000


def test_the_table_keeps_the_newest(start_gateway: Starter) -> None:
    gateway = start_gateway()
    moment = timezone.now()

    def write(rows: list[tuple[Any, ...]]) -> None:
        gateway.run(gateway.server.gateway.store.write_refused(rows))

    def lines(address: Callable[[int], str], count: int, first: int) -> list[tuple[Any, ...]]:
        at = [moment + timedelta(seconds=first + n) for n in range(count)]
        return [(address(n), "r", f"{first + n}", "", "", 1, at[n], at[n]) for n in range(count)]

    write(lines(lambda n: "one", 80, 0))
    assert RefusedAgent.objects.count() == 50
    assert RefusedAgent.objects.filter(claimed_id="79").exists()
    write(lines(lambda n: f"a{n}", 5000, 1000))
    assert RefusedAgent.objects.count() == 5000
    assert not RefusedAgent.objects.filter(address="one").exists()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"\x0a\x10" + bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (b"\x00\x0a\x1a" + ULID, ULID.decode()),
        (b"\x0a\x04a\x00\x1b<", "a??<"),
        (b"\x0a\x03\xff\xfe\xfd", "fffefd"),
        (b"\x0a\x7f" + b"x" * 127, "x" * 64),
        (b"\x0a", ""),
        (b"", ""),
        (b"\x12\x02hi", ""),
        (b"\x0a\xff\xff", ""),
    ],
)
def test_what_a_message_calls_its_sender(message: bytes, said: str) -> None:
    assert claimed(message) == said


def test_nothing_is_waiting_after_it_was_taken() -> None:
    refusals = Refusals()
    refusals.note("a", "r", "x", "c", "first")
    refusals.note("a", "r", "x", "", "")
    [line] = refusals.take()
    assert line[:6] == ("a", "r", "x", "c", "first", 2)
    assert refusals.take() == []


@pytest.mark.django_db
def test_what_is_long_over_is_forgotten() -> None:
    now = timezone.now()
    for days in (0, 2, 31):
        at = now - timedelta(days=days)
        RefusedAgent.objects.create(address=f"{days}", reason="r", times=1, first_at=at, last_at=at)
    assert still_refused(now) == 1
    assert forget(now) == 1
    assert RefusedAgent.objects.count() == 2


def test_a_retired_agent_is_back_when_it_connects(agent: FakeAgent) -> None:
    agent.begin()
    found = row(agent)
    moment = timezone.now()
    Agent.objects.filter(pk=found.pk).update(
        retired_at=moment, retired_by="lin", retired_why="scaled in"
    )
    agent.close()
    again = FakeAgent(agent.gateway, agent.transport, uid=agent.uid)
    again.begin()
    eventually(Agent.objects.living().filter(pk=found.pk).exists, "its return")
    found.refresh_from_db()
    assert (found.retired_at, found.retired_by, found.retired_why) == (None, "", "")
    event = found.events.get(kind="came_back")
    assert (event.details["retired_by"], event.details["why"]) == ("lin", "scaled in")
    again.close()
