"""Agents have an end: one, many, by rule; the connected never; and what a rule means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import AuditEvent
from agents.actions.retire import _RETIRE, retirable, retire, retire_matching, retire_now
from agents.actions.retirement_rules import delete_rule, save_rule
from agents.models import Agent, AgentEvent, AgentStatus, Desired, News, RetirementRule
from agents.retiring import retire_by_rules
from agents.selectors.compile import to_q
from agents.selectors.grammar import parse
from console.lib.problems import Denied, Invalid, Missing, Refused, Stale
from tests.make.agents import make_collector
from tests.make.people import make_actor
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def gone(labels: dict[str, str] | None = None, *, days: float = 0) -> Agent:
    """Create an agent that was last seen so many days ago."""
    agent = make_collector(labels, connected=False)
    AgentStatus.objects.filter(agent=agent).update(last_seen_at=NOW - days * DAY)
    return agent


def retired() -> set[int]:
    return set(Agent.objects.filter(retired_at__isnull=False).values_list("pk", flat=True))


def test_one_agent_is_retired_with_its_reason_and_history() -> None:
    agent, by = gone(), make_actor("operator")
    done = retire(agent_id=agent.pk, by=by, reason="decommissioned", now=NOW)
    assert (done.retired_at, done.retired_by, done.retired_why) == (NOW, by.name, "decommissioned")
    [event] = AgentEvent.objects.filter(agent=agent)
    assert (event.kind, event.details["why"]) == ("retired", "decommissioned")
    assert AuditEvent.objects.get(act="agents.retire").object_id == str(agent.pk)
    assert not Agent.objects.living().filter(pk=agent.pk).exists()
    assert not Agent.objects.matching(to_q(parse("*"))).filter(pk=agent.pk).exists()


def test_the_connected_and_the_retired_are_refused() -> None:
    by = make_actor("operator")
    with pytest.raises(Refused, match="back at once"):
        retire(agent_id=make_collector().pk, by=by, reason="x", now=NOW)
    agent = gone()
    retire(agent_id=agent.pk, by=by, reason="x", now=NOW)
    with pytest.raises(Refused, match="already"):
        retire(agent_id=agent.pk, by=by, reason="x", now=NOW)
    with pytest.raises(Missing):
        retire(agent_id=0, by=by, reason="x", now=NOW)
    with pytest.raises(Invalid):
        retire(agent_id=gone().pk, by=by, reason=" ", now=NOW)
    with pytest.raises(Denied):
        retire(agent_id=gone().pk, by=make_actor("viewer"), reason="x", now=NOW)


def test_a_selection_is_retired_only_in_the_count_that_was_seen() -> None:
    by = make_actor("operator")
    pods = [gone({"role": "pod"}, days=n) for n in range(4)]
    connected, other = make_collector({"role": "pod"}), gone({"role": "vm"})
    selector = to_q(parse("role=pod"))
    found = retirable(Agent.objects.matching(selector), timedelta(hours=36), NOW)
    assert (found.matched, found.connected, found.agents) == (5, 1, 2)
    words: dict[str, Any] = {
        "condition": selector,
        "selector": "role=pod",
        "by": by,
        "reason": "r",
        "now": NOW,
    }
    with pytest.raises(Stale, match="4 agents would be retired now, you saw 2"):
        retire_matching(seen_count=2, **words)
    assert not retired()
    assert not AgentEvent.objects.exists()
    assert retire_matching(seen_count=4, **words) == 4
    assert retired() == {agent.pk for agent in pods}
    assert not {connected.pk, other.pk} & retired()
    assert AuditEvent.objects.get(act="agents.retire").details["agents"] == 4


def test_who_connects_meanwhile_is_left_alone() -> None:
    agent = gone(days=40)
    AgentStatus.objects.filter(agent=agent).update(connected=True)
    with transaction.atomic():
        assert retire_now([agent.pk], by="x", why="y", now=NOW) == []
    AgentStatus.objects.filter(agent=agent).update(connected=False, last_seen_at=NOW)
    with transaction.atomic():
        assert retire_now([agent.pk], by="x", why="y", now=NOW, before=NOW - DAY) == []


def test_a_rollout_that_waits_for_it_has_news() -> None:
    agent = gone()
    Desired.objects.create(agent=agent, config_hash="a", change=1, topic="rollout:7", at=NOW)
    retire(agent_id=agent.pk, by=make_actor("operator"), reason="x", now=NOW)
    assert News.objects.get().topic == "rollout:7"


def test_thirty_days_are_the_first_rule() -> None:
    old, young = gone(days=31), gone(days=29)
    assert retire_by_rules(NOW) == 1
    assert retired() == {old.pk}
    old.refresh_from_db()
    assert (str(old.retired_by), str(old.retired_why)) == ("rule default", "not seen for 30 d")
    assert young.pk not in retired()
    assert retire_by_rules(NOW) == 0


def test_a_rule_with_a_selector_goes_before_the_one_for_all_others() -> None:
    by = make_actor("admin")
    save_rule(
        name="pods", selector="role=pod", not_seen_for=timedelta(hours=6), by=by, reason="scaled"
    )
    save_rule(
        name="laptops", selector="kind=laptop", not_seen_for=90 * DAY, by=by, reason="holidays"
    )
    pod, laptop, old = (
        gone({"role": "pod"}, days=1),
        gone({"kind": "laptop"}, days=60),
        gone(days=60),
    )
    both = gone({"role": "pod", "kind": "laptop"}, days=1)
    fresh = gone({"role": "pod"}, days=0.1)
    assert retire_by_rules(NOW) == 3
    assert retired() == {pod.pk, old.pk, both.pk}
    assert not {laptop.pk, fresh.pk} & retired()


def test_rules_hold_also_for_agents_without_the_label_of_a_pattern() -> None:
    save_rule(
        name="cattle",
        selector="name~batch-*",
        not_seen_for=timedelta(hours=1),
        by=make_actor("admin"),
        reason="r",
    )
    nameless = gone({}, days=40)
    assert retire_by_rules(NOW) == 1
    assert retired() == {nameless.pk}


def test_without_rules_nobody_is_retired() -> None:
    delete_rule(name="default", by=make_actor("admin"), reason="by hand only")
    gone(days=400)
    assert retire_by_rules(NOW) == 0


def test_many_are_retired_without_looking_through_the_list_for_each() -> None:
    for _ in range(3):
        gone()
    ids = list(Agent.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN {_RETIRE}",
            {"ids": ids * 400, "now": NOW, "by": "x", "why": "y", "before": None},
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "ANY" not in plan  # else each row of the one table searches the whole list


def test_a_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.retiring.BATCH", 2)
    for _ in range(5):
        gone(days=40)
    assert retire_by_rules(NOW) == 5
    assert AuditEvent.objects.filter(act="agents.retire").count() == 3


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("name", {"name": " "}),
        ("not_seen_for", {"not_seen_for": timedelta(seconds=5)}),
        ("reason", {"reason": ""}),
        ("selector", {"selector": "@saved"}),
    ],
)
def test_a_wrong_rule_names_its_field(field: str, words: dict[str, object]) -> None:
    given = {"name": "n", "not_seen_for": DAY, "reason": "r", "by": make_actor("admin"), **words}
    with pytest.raises(Invalid) as found:
        save_rule(**given)  # type: ignore[arg-type]
    assert [error.path for error in found.value.errors] == [field]
    assert RetirementRule.objects.count() == 1


def test_rules_are_for_administrators_and_audited() -> None:
    with pytest.raises(Denied):
        save_rule(name="n", not_seen_for=DAY, by=make_actor("operator"), reason="r")
    save_rule(name="n", not_seen_for=DAY, by=make_actor("admin"), reason="r")
    assert AuditEvent.objects.get().act == "retirement_rules.create"
    with pytest.raises(Missing):
        delete_rule(name="none", by=make_actor("admin"), reason="r")
