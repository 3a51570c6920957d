"""Between the seconds: what agents confirmed makes room at once, and a look that failed says why."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import Count

from agents.models import ConfigStatus, Delivery, Desired
from console.lib import hints
from rollouts.actions.pause import pause
from rollouts.loop.tick import look_at_news, tick_one
from rollouts.models import Phase, Rollout, Target
from tests.make.speech import report
from tests.rollouts.fleet import ALL_AT_ONCE, Fleet

SLOW = {**ALL_AT_ONCE, "max_in_flight": 3}


def sending(fleet: Fleet) -> Rollout:
    """Start a rollout of three at a time; nobody has answered."""
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(SLOW)
    fleet.run(2)
    assert offered(rollout) == 3
    return rollout


def offered(rollout: Rollout) -> int:
    return Target.objects.filter(rollout=rollout).exclude(state="waiting").count()


def answer(fleet: Fleet, count: int) -> None:
    for delivery in Delivery.objects.filter(state="open").select_related("agent")[:count]:
        report(delivery.agent, delivery.config_hash, ConfigStatus.APPLIED, at=fleet.now)


@pytest.mark.django_db
def test_what_is_confirmed_makes_room_at_once() -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    answer(fleet, 2)
    assert look_at_news([rollout.pk], fleet.now) == 1
    assert offered(rollout) == 5


@pytest.mark.django_db
def test_looks_between_the_seconds_send_no_more_than_may_be_in_flight() -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    for _ in range(5):
        look_at_news([rollout.pk], fleet.now)
    assert offered(rollout) == 3


@pytest.mark.django_db
def test_a_hint_takes_nothing_further_that_is_not_being_sent() -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    answer(fleet, 2)
    pause(rollout_id=rollout.pk, by=fleet.operator, reason="wait", now=fleet.now)
    assert look_at_news([rollout.pk, rollout.pk + 1], fleet.now) == 0
    assert offered(rollout) == 3


@pytest.mark.django_db
def test_a_rollout_whose_look_failed_waits_for_its_time() -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    answer(fleet, 2)
    Rollout.objects.filter(pk=rollout.pk).update(tick_error="it failed")
    assert look_at_news([rollout.pk], fleet.now) == 0


@pytest.fixture
def slices_of_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollouts.engine.sending.SLICE", 3)


@pytest.mark.django_db
def test_slice_after_slice_is_offered_each_with_a_change_of_its_own(slices_of_3: None) -> None:
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(ALL_AT_ONCE)
    assert offered(rollout) == 3
    assert look_at_news([rollout.pk], fleet.now) == 3
    changes = Desired.objects.values_list("change").annotate(agents=Count("pk")).order_by("change")
    assert [count for _, count in changes] == [3, 3, 3, 1]


@pytest.mark.django_db(transaction=True)
def test_the_act_of_a_person_has_the_next_slice_offered_at_once(
    slices_of_3: None, heard: Any
) -> None:
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(ALL_AT_ONCE)
    assert heard.get_message(timeout=5)["data"] == rollout.topic.encode()


@pytest.mark.django_db
def test_where_nobody_waits_for_room_the_clock_is_soon_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollouts.engine.sending.LAST_ONES", 4)
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: None
    rollout = fleet.start(ALL_AT_ONCE)
    assert offered(rollout) == 10
    answer(fleet, 2)
    assert look_at_news([rollout.pk], fleet.now) == 0
    answer(fleet, 4)
    fleet.run(1)
    assert look_at_news([rollout.pk], fleet.now) == 1


@pytest.fixture
def heard() -> Iterator[Any]:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(hints.NEWS)
        pubsub.get_message(timeout=5)
        yield pubsub


class Elsewhere:
    """Another process that holds rows, until the block ends."""

    def __init__(self, sql: str) -> None:
        self._sql, self._holds, self._over = sql, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self._sql)
            self._holds.set()
            self._over.wait(30)
        connection.close()

    def __enter__(self) -> None:
        self._thread.start()
        assert self._holds.wait(10)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)


@pytest.mark.django_db(transaction=True)
def test_a_rollout_that_is_looked_at_just_now_is_hinted_at_again(heard: Any) -> None:
    fleet = Fleet(10)
    rollout = sending(fleet)
    with Elsewhere("SELECT 1 FROM rollouts_rollout FOR NO KEY UPDATE"):
        assert look_at_news([rollout.pk], fleet.now) == 0
    assert heard.get_message(timeout=5)["data"] == rollout.topic.encode()


@pytest.mark.django_db(transaction=True)
def test_a_look_that_is_cut_off_says_so_and_is_tried_again() -> None:
    fleet = Fleet(4)
    rollout = sending(fleet)
    answer(fleet, 2)
    fleet.now += timedelta(seconds=2)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
    with Elsewhere("SELECT 1 FROM rollouts_target FOR UPDATE"):
        assert tick_one(fleet.now)
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
    assert "PostgreSQL did not answer" in str(Rollout.objects.get(pk=rollout.pk).tick_error)
    assert offered(rollout) == 3
    fleet.run(40)
    assert Rollout.objects.get(pk=rollout.pk).tick_error == ""
    assert Phase.objects.get(rollout=rollout).counts["applied"] == 2
