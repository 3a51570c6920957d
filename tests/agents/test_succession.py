"""A host that was set up anew: who replaces whom, and what goes over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent
from agents.actions.label import set_labels
from agents.actions.retirement_rules import save_rule
from agents.actions.take_over import take_over
from agents.models import Agent, AgentEvent, AgentStatus, Quarantine
from agents.succession import lineage, recognise
from console.lib.problems import Denied, Refused
from tests.make.agents import make_collector
from tests.make.people import make_actor
from tests.make.times import NOW

pytestmark = pytest.mark.django_db


def on_host(host: str = "web-1", *, first: float = 0, connected: bool = True, **more: Any) -> Agent:
    """Create an agent that reports a host and a service, first seen so many minutes after NOW."""
    reported = {"host.name": host, "service.name": more.pop("service", "otelcol")}
    agent = make_collector(reported, connected=connected, described_at=NOW, **more)
    at = NOW + timedelta(minutes=first)
    Agent.objects.filter(pk=agent.pk).update(
        first_seen_at=at,
        identifying={"service.name": reported["service.name"]},
        non_identifying={"host.name": host},
    )
    AgentStatus.objects.filter(agent=agent).update(last_seen_at=at)
    agent.refresh_from_db()
    return agent


def replaced_by(agent: Agent) -> int | None:
    agent.refresh_from_db()
    return agent.replaces_id


def test_a_new_uid_on_the_same_host_and_service_is_recognised() -> None:
    old = on_host(connected=False)
    new = on_host(first=5)
    other_host, other_service = on_host("web-2", first=5), on_host(service="gateway", first=5)
    assert recognise(NOW + timedelta(minutes=6)) == 1
    assert replaced_by(new) == old.pk
    assert replaced_by(other_host) is replaced_by(other_service) is replaced_by(old) is None
    kinds = AgentEvent.objects.values_list("agent_id", "kind")
    assert set(kinds) == {(new.pk, "replaces"), (old.pk, "replaced")}
    assert recognise(NOW + timedelta(minutes=7)) == 0


def test_two_that_are_connected_are_two() -> None:
    on_host()
    new = on_host(first=1)
    assert recognise(NOW + timedelta(minutes=2)) == 0
    assert replaced_by(new) is None


def test_a_connection_that_is_lost_only_later_is_waited_for() -> None:
    old = on_host()
    new = on_host(first=1)
    recognise(NOW + timedelta(minutes=2))
    AgentStatus.objects.filter(agent=old).update(connected=False)
    assert recognise(NOW + timedelta(minutes=4)) == 1
    assert replaced_by(new) == old.pk


def test_an_agent_is_looked_at_for_ten_minutes_only() -> None:
    old = on_host()
    on_host(first=1)
    recognise(NOW + timedelta(minutes=12))
    AgentStatus.objects.filter(agent=old).update(connected=False)
    assert recognise(NOW + timedelta(minutes=13)) == 0
    assert not Agent.objects.filter(kin_sought_at=None).exists()


def test_the_one_that_is_back_was_not_replaced() -> None:
    old, new = on_host(connected=False), on_host(first=1)
    recognise(NOW + timedelta(minutes=2))
    AgentStatus.objects.filter(agent=old).update(connected=True)
    recognise(NOW + timedelta(minutes=3))
    assert replaced_by(new) is None


def test_each_replaces_the_one_before() -> None:
    first = on_host(connected=False)
    second = on_host(connected=False, first=1)
    third = on_host(first=2)
    assert recognise(NOW + timedelta(minutes=3)) == 2
    assert (replaced_by(second), replaced_by(third)) == (first.pk, second.pk)


def test_labels_too_long_for_an_index_are_compared_by_their_beginning() -> None:
    old, new = on_host("h" * 4000, connected=False), on_host("h" * 4000, first=1)
    assert recognise(NOW + timedelta(minutes=2)) == 1
    assert replaced_by(new) == old.pk


def pair() -> tuple[Agent, Agent]:
    old, new = on_host(connected=False), on_host(first=1)
    set_labels(agent_id=old.pk, by=make_actor("operator"), set={"team": "edge", "tier": "1"})
    set_labels(agent_id=new.pk, by=make_actor("operator"), set={"tier": "2"})
    recognise(NOW + timedelta(minutes=2))
    new.refresh_from_db()
    return old, new


def test_labels_quarantines_by_hand_and_history_go_over() -> None:
    old, new = pair()
    for outcome, config_hash in (("by_hand", "a"), ("failed", "b")):
        Quarantine.objects.create(
            agent=old, config_hash=config_hash, outcome=outcome, by="x", at=NOW
        )
    done = take_over(agent_id=new.pk, by=make_actor("operator"), reason="re-imaged", now=NOW)
    assert done.operator_labels == {"team": "edge", "tier": "2"}
    new.refresh_from_db()
    assert new.labels == {
        "host.name": "web-1",
        "service.name": "otelcol",
        "team": "edge",
        "tier": "2",
    }
    assert [q.config_hash for q in Quarantine.objects.filter(agent=new)] == ["a"]
    assert lineage(new.pk) == [new.pk, old.pk]
    old.refresh_from_db()
    assert old.retired_at == NOW
    assert str(old.retired_why) == f"replaced by {new.instance_uid}"
    assert AuditEvent.objects.get(act="agents.take_over").details["replaces"] == str(
        old.instance_uid
    )


def test_before_that_only_the_word_is_there() -> None:
    old, new = pair()
    assert new.operator_labels == {"tier": "2"}
    assert lineage(new.pk) == [new.pk]
    old.refresh_from_db()
    assert old.retired_at is None


def test_what_cannot_be_taken_over_is_refused() -> None:
    old, new = pair()
    by = make_actor("operator")
    with pytest.raises(Denied):
        take_over(agent_id=new.pk, by=make_actor("viewer"), reason="")
    with pytest.raises(Refused, match="replaces no other"):
        take_over(agent_id=old.pk, by=by, reason="")
    AgentStatus.objects.filter(agent=old).update(connected=True)
    with pytest.raises(Refused, match="two agents"):
        take_over(agent_id=new.pk, by=by, reason="")
    AgentStatus.objects.filter(agent=old).update(connected=False)
    take_over(agent_id=new.pk, by=by, reason="", now=NOW)
    with pytest.raises(Refused, match="already"):
        take_over(agent_id=new.pk, by=by, reason="")


def test_a_rule_takes_over_by_itself() -> None:
    save_rule(
        name="hosts",
        selector="service.name=otelcol",
        not_seen_for=timedelta(days=30),
        take_over=True,
        by=make_actor("admin"),
        reason="images are rebuilt each week",
    )
    old, new = pair()
    new.refresh_from_db()
    assert new.took_over_at is not None
    assert new.operator_labels["team"] == "edge"
    old.refresh_from_db()
    assert str(old.retired_by) == "system"


def test_the_cost_follows_the_new_ones(django_assert_num_queries: Any) -> None:
    recognise(NOW + timedelta(hours=1))
    for n in range(20):
        on_host(f"h-{n}", connected=False)
    recognise(NOW + timedelta(hours=1))
    with django_assert_num_queries(5):  # savepoints included
        assert recognise(NOW + timedelta(hours=2)) == 0
