"""The publisher over real Redis: what is sent, to whom, how often, by one process at a time."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async as sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.utils import timezone

from agents.models import AgentStatus
from console.lib import hints
from console.lib.database.snapshot import snapshot
from console.live import followed, topics
from console.live.publisher import Publisher
from console.live.sources import Sources
from console.pages.frame.context import COUNTS_FOLLOW
from rollouts.models import Rollout, Target
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _clean_redis() -> Iterator[None]:
    client = followed.client()
    client.delete(followed.KEY, hints.DIRTY, "tidegate:live:publisher")
    yield
    client.delete(followed.KEY, hints.DIRTY, "tidegate:live:publisher")


def a_rollout() -> Rollout:
    versions = make_config("edge", 2)
    agents = make_fleet(6, running=versions[0].config_hash)
    return make_rollout(versions[1], agents=agents)


async def listen(topic: str) -> tuple[Any, str]:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(topics.group_of(topic), channel)
    return layer, channel


@pytest.mark.asyncio
async def test_a_dirty_topic_reaches_its_followers() -> None:
    rollout = await sync_to_async(a_rollout)()
    layer, channel = await listen(rollout.topic)
    await sync_to_async(followed.want)([rollout.topic])
    await sync_to_async(hints.mark_dirty)(rollout.topic)
    await Publisher()._turn(0.0)
    message = await layer.receive(channel)
    assert f'id="why-{rollout.pk}"' in json.loads(message["text"])["html"]


@pytest.mark.asyncio
async def test_nothing_is_drawn_for_nobody() -> None:
    rollout = await sync_to_async(a_rollout)()
    await sync_to_async(hints.mark_dirty)(rollout.topic)
    publisher = Publisher()
    await publisher._turn(0.0)
    assert publisher.sent_at == {}


@pytest.mark.asyncio
async def test_a_topic_is_sent_once_per_interval_with_its_newest_state() -> None:
    rollout = await sync_to_async(a_rollout)()
    await sync_to_async(followed.want)([rollout.topic])
    publisher = Publisher()
    for now_s in (10.0, 10.3, 10.6):
        await sync_to_async(hints.mark_dirty)(rollout.topic)
        await publisher._turn(now_s)
    assert publisher.sent_at[rollout.topic] == 10.0
    assert publisher.dirty == {rollout.topic}
    await publisher._turn(11.1)
    assert publisher.sent_at[rollout.topic] == 11.1
    assert publisher.dirty == set()


@pytest.mark.asyncio
async def test_a_heartbeat_goes_to_every_page() -> None:
    layer, channel = await listen(topics.NAV)
    await Publisher()._turn(100.0)
    assert (await layer.receive(channel))["text"] == '{"event":"beat"}'


def test_one_process_publishes_at_a_time() -> None:
    first, second = Publisher(), Publisher()
    assert first._lead()
    assert not second._lead()
    assert first._lead()


def test_the_next_process_takes_over_when_the_lease_ran_out() -> None:
    first, second = Publisher(), Publisher()
    assert first._lead()
    followed.client().delete("tidegate:live:publisher")
    assert second._lead()
    assert not first._lead()


def frames(sources: Sources, topic: str, *wanted: str) -> list[dict[str, Any]]:
    sent = sources.messages(topic, set(wanted), timezone.now()).get(topic, [])
    return [json.loads(text) for text in sent]


def events(frame: dict[str, Any]) -> list[str]:
    return [one["event"] for one in frame["signals"]]


def test_fragments_are_the_same_for_everybody() -> None:
    [frame] = frames(Sources(), a_rollout().topic)
    for forbidden in ("<form", "<input", "csrf", " CET"):
        assert forbidden not in frame["html"]
    assert frame["html"].count("data-seq=") >= 6


def test_all_of_a_rollout_is_one_message_with_one_seq() -> None:
    rollout = a_rollout()
    [frame] = frames(Sources(), rollout.topic)
    assert f'data-seq="{frame["seq"]}"' in frame["html"]
    assert set(re.findall(r'data-seq="(\d+)"', frame["html"])) == {str(frame["seq"])}
    for region in ("pill", "track", "why", "gates-of", "legend", "cells", "events", "way-back"):
        assert f'id="{region}-{rollout.pk}"' in frame["html"], region


def test_a_message_is_read_from_one_state_of_the_database() -> None:
    rollout = a_rollout()
    with snapshot():
        before = Rollout.objects.get(pk=rollout.pk).state
        elsewhere = threading.Thread(target=_pause, args=[rollout.pk])
        elsewhere.start()
        elsewhere.join()
        assert Rollout.objects.get(pk=rollout.pk).state == before
    assert Rollout.objects.get(pk=rollout.pk).state == "paused"


def _pause(rollout_id: int) -> None:
    Rollout.objects.filter(pk=rollout_id).update(state="paused")
    connection.close()


def test_the_cells_of_the_grid_come_with_the_numbers() -> None:
    rollout = a_rollout()
    target = Target.objects.filter(rollout=rollout).order_by("phase__index", "position").first()
    assert target is not None
    Target.objects.filter(pk=target.pk).update(state="failed")
    [frame] = frames(Sources(), rollout.topic)
    assert 'data-cells="failed 1 ' in frame["html"]
    assert f'id="n-failed-{rollout.pk}"' in frame["html"]


def test_a_state_is_signalled_when_it_changes_and_only_then() -> None:
    rollout, sources = a_rollout(), Sources()
    [first], [again] = frames(sources, rollout.topic), frames(sources, rollout.topic)
    assert events(first) == ["rollout.changed", "rollout.state"]
    assert events(again) == []


def test_the_list_gets_the_cells_of_agents_that_changed() -> None:
    [one, _other] = make_fleet(2, running="a" * 64)
    sources, now = Sources(), timezone.now()
    sources.messages(topics.AGENTS, {topics.AGENTS}, now)
    one.status.healthy = False
    one.status.save(update_fields=["healthy"])
    [cells] = frames(sources, topics.AGENTS, topics.AGENTS)
    assert f'id="a{one.pk}-status"' in cells["html"]
    assert "Unhealthy" in cells["html"]
    assert cells["signals"] == [{"event": "agents.changed", "ids": [one.pk], "n": 1}]


def test_the_list_hears_nothing_when_nothing_changed() -> None:
    make_fleet(2, running="a" * 64)
    sources, now = Sources(), timezone.now()
    sources.messages(topics.AGENTS, {topics.AGENTS}, now)
    assert sources.messages(topics.AGENTS, {topics.AGENTS}, now) == {}


def test_too_many_changes_become_one_signal_to_read_again() -> None:
    make_fleet(250, running="a" * 64)
    sources, now = Sources(), timezone.now()
    sources.messages(topics.AGENTS, {topics.AGENTS}, now)
    AgentStatus.objects.update(healthy=False)
    sent = sources.messages(topics.AGENTS, {topics.AGENTS}, now)[topics.AGENTS]
    assert sent[-1] == '{"event":"refresh"}'


def test_an_agents_page_hears_of_the_rollout_that_takes_it_up_and_lets_it_go() -> None:
    rollout, sources = a_rollout(), Sources()
    target = Target.objects.filter(rollout=rollout).first()
    assert target is not None
    topic = f"agent:{target.agent_id}"

    def heard() -> list[str]:
        sent = sources.messages(topics.ROLLOUTS, {topic}, timezone.now())
        assert sent[topics.NAV] == ['{"event":"rollouts.changed"}']
        return events(json.loads(sent[topic][0]))

    assert heard() == ["agent.changed"]
    assert heard() == []
    Target.objects.filter(pk=target.pk).update(active=False)  # nothing that the feed sends of it
    assert heard() == ["agent.changed"]


@pytest.mark.parametrize("topic", sorted(topics.COUNTED))
def test_what_the_navigation_counts_reaches_every_page(topic: str) -> None:
    sent = Sources().messages(topic, set(), timezone.now())
    assert sent == {topics.NAV: [f'{{"event":"{topic}.changed"}}']}
    assert f"{topic}-changed from:body" in COUNTS_FOLLOW
    assert "live-resync" in COUNTS_FOLLOW  # what was said while nobody listened
