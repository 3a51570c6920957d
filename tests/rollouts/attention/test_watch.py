"""Pages hear of what needs a person, and what is over is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from agents.models import RefusedAgent
from console.lib.hints import DIRTY, LAST
from rollouts.attention.watch import GRACE, watch
from rollouts.models import Acknowledgement

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def store() -> redis.Redis:
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    client.delete(DIRTY, f"{LAST}needs")
    return client


def refused() -> RefusedAgent:
    return RefusedAgent.objects.create(
        address="10.0.0.1", reason="credential_missing", times=1, first_at=NOW, last_at=NOW
    )


def test_pages_are_told_once_of_what_is_news(store: redis.Redis) -> None:
    watch(NOW)
    assert not watch(NOW)
    store.delete(DIRTY)
    refused()
    assert watch(NOW)
    assert store.smembers(DIRTY) == {"approvals"}
    assert not watch(NOW)


def test_what_is_over_is_forgotten_after_a_while(store: redis.Redis) -> None:
    kept = Acknowledgement.objects.create(
        kind="at_the_door", subject="all", facts="1", by_name="lin", at=NOW
    )
    watch(NOW + GRACE / 2)
    assert Acknowledgement.objects.filter(pk=kept.pk).exists()
    watch(NOW + GRACE + timedelta(seconds=1))
    assert not Acknowledgement.objects.exists()


def test_what_is_still_so_stays_acknowledged(store: redis.Redis) -> None:
    refused()
    Acknowledgement.objects.create(
        kind="at_the_door", subject="all", facts="old", by_name="lin", at=NOW - 2 * GRACE
    )
    watch(NOW)
    assert Acknowledgement.objects.exists()
