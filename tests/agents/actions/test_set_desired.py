from __future__ import annotations

import pytest
from django.db import transaction

from agents import deliveries
from agents.actions.set_desired import SetDesired, release_topic, set_desired
from agents.models import Delivery, Desired, News, Quarantine
from agents.news import take
from tests.make.agents import make_agent_with
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
B, C = "b" * 64, "c" * 64


def push(*wants: tuple[int, str], topic: str = "rollout:1") -> SetDesired:
    with transaction.atomic():
        return set_desired(wants=dict(wants), cause=topic, topic=topic, now=NOW)


def test_an_agent_gets_a_desired_hash_and_an_open_delivery() -> None:
    agent = make_agent_with()
    done = push((agent.pk, B))
    assert done.offered == [agent.pk]
    assert agent.desired.config_hash == B
    assert agent.desired.change == done.change
    assert agent.deliveries.get().state == Delivery.State.OPEN


def test_a_newer_offer_supersedes_the_open_one() -> None:
    agent = make_agent_with()
    push((agent.pk, B))
    push((agent.pk, C))
    states = dict(agent.deliveries.values_list("config_hash", "state"))
    assert states == {B: "superseded", C: "open"}


def test_an_agent_that_already_runs_the_hash_is_settled_at_once_and_makes_news() -> None:
    agent = make_agent_with(config_hash=B, config_status=1, running_hash=B)
    done = push((agent.pk, B))
    assert (done.offered, done.already_running) == ([], [agent.pk])
    assert agent.deliveries.get().acknowledged_at == NOW
    assert take("rollout:1") == {agent.pk}


# What is under way to an agent that says that it runs B, and whether it runs it already for sure.
UNDER_WAY = {
    "another hash, sent": (C, True, True, "open"),
    "another hash, perhaps sent": (C, False, True, "open"),
    "the same hash": (B, True, True, "applied"),
    "another hash, sent to one who is away now": (C, True, False, "open"),
    "another hash, never sent to one who is away": (C, False, False, "applied"),
}


@pytest.mark.parametrize(
    ("config_hash", "is_sent", "connected", "state"), UNDER_WAY.values(), ids=list(UNDER_WAY)
)
def test_what_is_under_way_to_an_agent_is_what_it_will_run(
    config_hash: str, is_sent: bool, connected: bool, state: str
) -> None:
    """Its last word is from before: the gateway asks it anew."""
    agent = make_agent_with(config_hash=B, config_status=1, running_hash=B, connected=connected)
    Delivery.objects.create(
        agent=agent,
        config_hash=config_hash,
        cause="rollout:1",
        state="open",
        offered_at=NOW,
        sent_at=NOW if is_sent else None,
    )
    done = push((agent.pk, B))
    assert agent.deliveries.order_by("-pk")[0].state == state
    assert (done.offered == [agent.pk]) is (state == "open")
    assert (done.already_running == [agent.pk]) is (state == "applied")


def test_an_agent_that_refused_the_hash_is_left_out() -> None:
    agent = make_agent_with(config_hash=B, config_status=3)
    Quarantine.objects.create(agent=agent, config_hash=B, outcome="failed", by="agent", at=NOW)
    done = push((agent.pk, B))
    assert done.quarantined == [agent.pk]
    assert not Desired.objects.exists()
    assert not Delivery.objects.exists()


def test_a_hash_quarantined_for_the_fleet_reaches_nobody() -> None:
    one, other = make_agent_with(), make_agent_with()
    Quarantine.objects.create(config_hash=B, outcome="by_hand", by="ann", at=NOW)
    done = push((one.pk, B), (other.pk, C))
    assert done.quarantined == [one.pk]
    assert done.offered == [other.pk]


def test_a_lifted_quarantine_counts_no_more() -> None:
    agent = make_agent_with()
    Quarantine.objects.create(
        agent=agent, config_hash=B, outcome="failed", by="agent", at=NOW, lifted_at=NOW
    )
    assert push((agent.pk, B)).offered == [agent.pk]


def test_change_numbers_grow_with_each_push() -> None:
    agent = make_agent_with()
    first = push((agent.pk, B)).change
    assert push((agent.pk, C)).change > first


def test_it_refuses_to_run_outside_a_transaction(transactional_db: None) -> None:
    with pytest.raises(RuntimeError):
        set_desired(wants={1: B}, cause="x", topic="", now=NOW)


def test_a_released_topic_asks_for_no_news() -> None:
    agent = make_agent_with()
    push((agent.pk, B))
    assert release_topic("rollout:1") == 1
    assert Desired.objects.get().topic == ""


def test_only_open_deliveries_time_out() -> None:
    open_, done = make_agent_with(), make_agent_with(config_hash=B, config_status=1)
    push((open_.pk, B), (done.pk, B))
    assert deliveries.time_out([open_.pk, done.pk], B, NOW) == [open_.pk]
    assert open_.deliveries.get().state == Delivery.State.TIMED_OUT
    assert done.deliveries.get().state == Delivery.State.APPLIED


def test_nobody_to_push_to_writes_nothing() -> None:
    assert push().change == 0
    assert not News.objects.exists()
