"""Two connections at once: ticks, acts and starts on the same rows. PostgreSQL decides."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.models import ConfigStatus, Delivery, Quarantine
from console.lib.problems import Problem, Refused
from rollouts.actions.abort import abort
from rollouts.actions.approve import approve
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.actions.start import start
from rollouts.limits.budget import lease
from rollouts.loop.tick import tick_one
from rollouts.models import Budget, BudgetLease, Event, Rollback, Rollout, Target
from rollouts.rollback import waves
from tests.make.agents import make_collector
from tests.make.speech import report
from tests.make.times import NOW
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run each in a thread and connection of its own, begun together; return results or errors."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            results[place] = act()  # type: ignore[call-overload]
        except Exception as error:  # noqa: BLE001  the outcome of an act, looked at by the test
            results[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return list(results)


def acts_of(rollout: Rollout) -> list[str]:
    return list(Event.objects.filter(rollout=rollout).order_by("seq").values_list("act", flat=True))


def waiting_for_approval() -> tuple[Fleet, Rollout]:
    fleet = Fleet(10)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    return fleet, rollout


def test_two_ticks_take_one_decision() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.run(8)
    rollout.phases.filter(index=0).update(observed_s=100)
    Rollout.objects.update(next_tick_at=fleet.now)
    at_once(*[lambda: tick_one(fleet.now)] * 4)
    assert acts_of(rollout).count("pass_phase") == 1


def test_ticks_at_once_never_offer_twice() -> None:
    fleet = Fleet(30)
    rollout = fleet.start()
    for _ in range(5):
        Rollout.objects.update(next_tick_at=fleet.now)
        at_once(*[lambda: tick_one(fleet.now)] * 3)
    assert Delivery.objects.filter(cause=rollout.topic).count() == 3


def test_a_tick_and_an_approval_start_the_phase_once() -> None:
    fleet, rollout = waiting_for_approval()
    Rollout.objects.update(next_tick_at=fleet.now)
    at_once(
        lambda: approve(rollout_id=rollout.pk, phase="all", by=fleet.approver, now=fleet.now),
        lambda: tick_one(fleet.now),
    )
    Rollout.objects.update(next_tick_at=fleet.now)
    tick_one(fleet.now)
    acts = acts_of(rollout)
    assert (acts.count("approval_approved"), acts.count("start_phase")) == (1, 2)


def test_an_approval_and_an_abort_at_once_leave_one_winner() -> None:
    fleet, rollout = waiting_for_approval()
    revision = Rollout.objects.get(pk=rollout.pk).revision
    results = at_once(
        lambda: approve(
            rollout_id=rollout.pk,
            phase="all",
            by=fleet.approver,
            seen_revision=revision,
            now=fleet.now,
        ),
        lambda: abort(
            rollout_id=rollout.pk,
            by=fleet.operator,
            reason="stop it",
            seen_revision=revision,
            now=fleet.now,
        ),
    )
    assert sum(isinstance(result, Problem) for result in results) == 1
    began = Target.objects.filter(phase__index=1, offered_at__isnull=False).exists()
    assert began == (state_of(rollout) == "running")


def test_two_starts_of_one_config_give_one_active_rollout() -> None:
    fleet = Fleet(10)
    first, second = fleet.draft(), fleet.draft()
    results = at_once(
        *[
            lambda pk=draft.pk: start(rollout_id=pk, by=fleet.operator, now=fleet.now)
            for draft in (first, second)
        ]
    )
    refused = [result for result in results if isinstance(result, Refused)]
    assert len(refused) == 1
    assert "active rollout of the same config" in refused[0].detail


def test_the_database_refuses_an_agent_in_two_active_rollouts() -> None:
    fleet = Fleet(2)
    first, second = fleet.draft(), fleet.draft()
    Target.objects.filter(rollout=first).update(active=True)
    with pytest.raises(IntegrityError, match="agent_in_one_active_rollout"), transaction.atomic():
        Target.objects.filter(rollout=second).update(active=True)


def test_a_supersede_against_a_tick_ends_the_first_rollout_once() -> None:
    fleet = Fleet(10)
    first = fleet.start()
    second = fleet.draft(version=1, when_busy="supersede", plan="quick")
    Rollout.objects.filter(pk=first.pk).update(next_tick_at=fleet.now)
    at_once(
        lambda: start(rollout_id=second.pk, by=fleet.operator, now=fleet.now),
        lambda: tick_one(fleet.now),
    )
    assert state_of(first) == "superseded"
    assert not Target.objects.filter(rollout=first, active=True).exists()
    assert acts_of(first).count("supersede") == 1


def test_two_triggers_at_once_give_one_rollback() -> None:
    fleet = Fleet(10)
    fleet.answer = lambda agent, config_hash: (
        None if config_hash == fleet.v1.config_hash else ConfigStatus.APPLIED
    )
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    canary = rollout.targets.select_related("agent").get(phase__index=0).agent
    report(canary, fleet.v2.config_hash, ConfigStatus.FAILED, error="broke", at=fleet.now)
    Rollout.objects.filter(state="running").update(next_tick_at=fleet.now)
    at_once(
        lambda: tick_one(fleet.now),
        lambda: rollback_rollout(
            rollout_id=rollout.pk, by=fleet.operator, reason="by hand", now=fleet.now
        ),
        lambda: rollback_rollout(
            rollout_id=rollout.pk, by=fleet.approver, reason="me too", now=fleet.now
        ),
    )
    assert Rollback.objects.count() == 1
    assert acts_of(rollout).count("roll_back") == 1


def test_two_rollbacks_by_selector_at_once_give_one() -> None:
    fleet = Fleet(10)
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "succeeded")
    results = at_once(
        *[
            lambda: rollback_selector(
                selector="*", by=fleet.operator, reason="it hurts", now=fleet.now
            )
        ]
        * 3
    )
    assert sum(isinstance(result, Refused) for result in results) == 2
    assert Rollback.objects.count() == 1
    assert not Quarantine.objects.filter(config_hash=fleet.v1.config_hash).exists()


def test_rollback_ticks_at_once_offer_each_way_back_once() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[1] == "observing")
    back = rollback_rollout(rollout_id=rollout.pk, by=fleet.operator, reason="no", now=fleet.now)
    at_once(*[lambda: waves.tick_one(back.pk, fleet.now)] * 3)
    assert Delivery.objects.filter(cause=back.topic).count() == 20


def test_budgets_are_not_overspent_by_two_at_once() -> None:
    agents = [make_collector({"region": "eu"}) for _ in range(10)]
    Budget.objects.create(label="region", max_agents=4, updated_by="chen", updated_at=NOW)
    ids = [agent.pk for agent in agents]

    def take(part: list[int], topic: str) -> object:
        with transaction.atomic():
            return lease(part, topic, timezone.now())

    at_once(lambda: take(ids[:5], "rollout:1"), lambda: take(ids[5:], "rollout:2"))
    assert BudgetLease.objects.count() == 4
