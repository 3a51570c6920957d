"""Whatever agents, people, time and processes do, a rollout keeps its promises.

Hypothesis writes histories on real rows: agents apply, refuse, fall silent, vanish and return;
people pause, approve, abort; time moves, workers are away. After each step the promises are checked.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agents.models import Agent, ConfigStatus, Delivery, Desired
from console.lib.problems import Problem
from rollouts.actions.abort import abort
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.actions.pause import pause
from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.engine.decide import decide
from rollouts.engine.facts import Counts
from rollouts.engine.membership import phase_size
from rollouts.engine.states import (
    FAILED_TARGETS,
    FINAL_STATES,
    PHASE_TABLE,
    ROLLOUT_TABLE,
    TARGET_TABLE,
)
from rollouts.loop.load import load_facts
from rollouts.models import Event, Phase, RollbackTarget, Rollout, Target
from tests.make.agents import make_collector
from tests.make.speech import connect, feel, report, send, wanted_of
from tests.rollouts.fleet import Fleet

pytestmark = pytest.mark.django_db

AGENTS = 8
# The same few on each run; set HISTORIES=200 to search for new ones.
DEFAULT = 6
HISTORIES = int(os.environ.get("HISTORIES", DEFAULT))
CRITERION = {"metric": "failure_rate", "operator": "<", "threshold": "30%"}
PLAN: dict[str, Any] = {
    "name": "any",
    "phases": [
        {"name": "a", "weight": "25%", "duration": "5s", "success_criteria": [CRITERION]},
        {"name": "b", "weight": "50%", "duration": "5s", "auto_advance": False,
         "success_criteria": [CRITERION]},
        {"name": "c", "weight": "75%", "duration": "5s"},
    ],
    "thresholds": {"failure_rate": {"warning": "10%", "critical": "60%"}},
    "apply_timeout": "20s",
    "health_grace": "3s",
    "bake": "5s",
    "tolerated_failures": "50%",
    "lost_after": "15s",
}  # fmt: skip
KEPT = ("applied", "failed", "timed_out", "fell_back", "lost", "skipped", "rolled_back")


def reachable(state: str) -> set[str]:
    """Return the states that a target can be in after any number of steps of the table."""
    found, new = {state}, {state}
    while new:
        new = {to for (_, source), to in TARGET_TABLE.items() if source in new} - found
        found |= new
    return found


one_agent = st.integers(0, AGENTS - 1)


class AnyHistory(RuleBasedStateMachine):
    """One rollout of eight agents. Everything happens in one transaction, taken back at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, str] = {}
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def teardown(self) -> None:
        try:
            if hasattr(self, "rollout"):
                self.let_it_end()
        finally:
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

    @initialize(
        method=st.sampled_from(["immediate", "gradual"]), away=st.sets(one_agent, max_size=2)
    )
    def begin(self, method: str, away: set[int]) -> None:
        self.fleet = Fleet(AGENTS)
        for number in away:
            connect(self.fleet.agents[number], connected=False)
        plan = {**PLAN, "rollback": {"strategy": {"method": method}}}
        self.rollout = self.fleet.start(plan)
        self.v1, self.v2 = self.fleet.v1.config_hash, self.fleet.v2.config_hash

    @rule(number=one_agent, status=st.sampled_from(list(ConfigStatus)[1:]))
    def agent_answers(self, number: int, status: ConfigStatus) -> None:
        agent = self.fleet.agents[number]
        offered = Delivery.objects.filter(agent=agent, state="open").first()
        agent.refresh_from_db()
        if offered is not None and agent.status.connected:
            report(agent, offered.config_hash, status, at=self.fleet.now)

    @rule()
    def all_answer(self) -> None:
        self.fleet.speak()

    @rule(number=one_agent, status=st.booleans())
    def gateway_sends_and_agent_goes(self, number: int, status: bool) -> None:
        agent = self.fleet.agents[number]
        if status:
            send(agent, self.fleet.now)
        connect(agent, connected=False, at=self.fleet.now)

    @rule(number=one_agent)
    def agent_returns(self, number: int) -> None:
        connect(self.fleet.agents[number], at=self.fleet.now)

    @rule(number=one_agent)
    def agent_falls_back_by_itself(self, number: int) -> None:
        agent = self.fleet.agents[number]
        agent.refresh_from_db()
        if agent.status.connected:
            report(agent, self.v1, at=self.fleet.now)

    @rule(number=one_agent)
    def agent_loses_its_storage(self, number: int) -> None:
        report(self.fleet.agents[number], "", ConfigStatus.UNSET, at=self.fleet.now)

    @rule(number=one_agent)
    def agent_runs_the_new_one_after_all(self, number: int) -> None:
        agent = self.fleet.agents[number]
        offered = Target.objects.filter(agent=agent, offered_at__isnull=False)
        if offered.exists() and wanted_of(agent) == self.v2:
            report(agent, self.v2, at=self.fleet.now)

    @rule(number=one_agent)
    def agent_flaps(self, number: int) -> None:
        for healthy in (False, True):
            feel(self.fleet.agents[number], healthy, at=self.fleet.now)
            self.fleet.now += timedelta(seconds=1)
            self.fleet.tick()

    @rule(number=one_agent, healthy=st.booleans())
    def agent_feels(self, number: int, healthy: bool) -> None:
        feel(self.fleet.agents[number], healthy, at=self.fleet.now)

    @rule()
    def newcomer(self) -> None:
        if Agent.objects.count() < AGENTS + 2:
            self.fleet.agents.append(make_collector({"env": "prod"}))

    @rule(seconds=st.sampled_from([1.0, 3.0, 10.0]))
    def time_with_ticks(self, seconds: float) -> None:
        until = self.fleet.now + timedelta(seconds=seconds)
        while self.fleet.now < until:
            self.fleet.now += timedelta(seconds=1)
            self.fleet.tick()

    @rule(seconds=st.sampled_from([5.0, 60.0, 3600.0]))
    def time_without_a_worker(self, seconds: float) -> None:
        self.fleet.now += timedelta(seconds=seconds)

    @rule()
    def worker_dies_in_a_tick(self) -> None:
        with contextlib.suppress(InterruptedError), transaction.atomic():
            self.fleet.tick()
            raise InterruptedError

    @rule(back=st.sampled_from([60.0, 3600.0]))
    def clock_is_set_back(self, back: float) -> None:
        self.fleet.now -= timedelta(seconds=back)

    @rule()
    def operator_rolls_back_by_selector(self) -> None:
        with contextlib.suppress(Problem):
            rollback_selector(
                selector="*", by=self.fleet.operator, reason="because", now=self.fleet.now
            )

    @rule(act=st.sampled_from([pause, resume, advance, abort, rollback_rollout]))
    def operator_acts(self, act: Any) -> None:
        with contextlib.suppress(Problem):
            act(
                rollout_id=self.rollout.pk,
                by=self.fleet.operator,
                reason="because",
                now=self.fleet.now,
            )

    @rule(act=st.sampled_from([approve, approve, approve, reject]))
    def approver_acts(self, act: Any) -> None:
        with contextlib.suppress(Problem):
            act(
                rollout_id=self.rollout.pk,
                phase="b",
                by=self.fleet.approver,
                reason="because",
                now=self.fleet.now,
            )

    @invariant()
    def nobody_outside_begun_phases_is_wanted_on_it(self) -> None:
        if not hasattr(self, "rollout") or self.is_over():
            return
        begun = Target.objects.filter(rollout=self.rollout, offered_at__isnull=False).values(
            "agent"
        )
        early = Desired.objects.filter(config_hash=self.v2).exclude(agent__in=begun)
        assert not early.exists()
        waiting = Phase.objects.filter(
            rollout=self.rollout, state__in=["pending", "awaiting_approval"]
        )
        assert not Target.objects.filter(phase__in=waiting, offered_at__isnull=False).exists()

    @invariant()
    def no_phase_advances_without_pass(self) -> None:
        if not hasattr(self, "rollout"):
            return
        for event in Event.objects.filter(rollout=self.rollout, act="pass_phase"):
            gates = event.inputs.get("gates", [])
            passes = all(gate["verdict"] == "pass" and gate["level"] == "none" for gate in gates)
            counts = Counts.from_dict(event.inputs["counts"])
            run = counts.expected > 0 and counts.on_new >= 0.9 * counts.expected
            assert (passes and run) or not counts.expected, event.inputs

    @invariant()
    def no_agent_has_two_active_deliveries(self) -> None:
        agents = Delivery.objects.filter(state="open").values_list("agent", flat=True)
        assert max(Counter(agents).values(), default=0) <= 1

    @invariant()
    def the_weight_of_the_newest_phase_is_never_exceeded(self) -> None:
        if not hasattr(self, "rollout"):
            return
        begun = Phase.objects.filter(rollout=self.rollout, started_at__isnull=False)
        weight = max(begun.values_list("weight", flat=True), default=0.0)
        touched = Target.objects.filter(rollout=self.rollout, offered_at__isnull=False)
        assert touched.exclude(phase__is_rest=True).count() <= phase_size(weight, AGENTS)

    @invariant()
    def the_same_facts_give_the_same_decision(self) -> None:
        if not hasattr(self, "rollout"):
            return
        rollout = Rollout.objects.with_config().get(pk=self.rollout.pk)
        phases = list(rollout.phases.order_by("index"))
        first, again = (load_facts(rollout, phases, self.fleet.now) for _ in range(2))
        assert first == again
        assert decide(first, self.fleet.now) == decide(again, self.fleet.now)

    @invariant()
    def every_event_follows_the_table(self) -> None:
        if not hasattr(self, "rollout"):
            return
        events = list(Event.objects.filter(rollout=self.rollout).order_by("seq"))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        for event in events:
            if event.state_from and event.rollback_id is None and "approval" not in event.act:
                table = PHASE_TABLE if event.phase else ROLLOUT_TABLE
                assert table[(event.act, event.state_from)] == event.state_to

    @invariant()
    def every_target_follows_the_table(self) -> None:
        now = dict(Target.objects.values_list("pk", "state"))
        for pk, state in now.items():
            before = self.seen.get(pk, "waiting")
            assert state in reachable(before), (before, state)
        self.seen = now

    @invariant()
    def counts_are_what_the_targets_are(self) -> None:
        if not hasattr(self, "rollout"):
            return
        for phase in Phase.objects.filter(rollout=self.rollout):
            states = Counter(Target.objects.filter(phase=phase).values_list("state", flat=True))
            kept = {key: phase.counts.get(key, 0) for key in KEPT}
            assert kept == {key: states[key] for key in kept}

    def is_over(self) -> bool:
        return Rollout.objects.get(pk=self.rollout.pk).state in FINAL_STATES

    def let_it_end(self) -> None:
        """Everyone comes back and answers, people say yes: the rollout ends, and ends right."""
        for agent in self.fleet.agents:
            connect(agent, at=self.fleet.now)
            feel(agent, True, at=self.fleet.now)
        for _ in range(12):
            if self.is_over():
                break
            self.operator_acts(resume)
            self.fleet.run(8)
            self.approver_acts(approve)
            self.fleet.run(8)
            self.operator_acts(advance)
        if not self.is_over():
            # A red gate is a decision for people: they may always go back.
            self.operator_acts(rollback_rollout)
            self.fleet.run(60)
        assert self.is_over(), Rollout.objects.get(pk=self.rollout.pk).why
        self.fleet.run(30)
        self.everyone_is_accounted_for()

    def everyone_is_accounted_for(self) -> None:
        """New version, own previous version, or listed."""
        listed = set(
            RollbackTarget.objects.exclude(state="confirmed").values_list("agent", flat=True)
        ) | set(Target.objects.filter(state__in=FAILED_TARGETS).values_list("agent", flat=True))
        final = Rollout.objects.get(pk=self.rollout.pk).state
        for target in Target.objects.filter(rollout=self.rollout).select_related("agent__status"):
            running = target.agent.status.running_hash
            if final in {"rolled_back", "rollback_incomplete"} and target.agent_id not in listed:
                assert running == target.previous_hash, (final, target.state)
                assert wanted_of(target.agent) in {"", target.previous_hash}
            assert running in {self.v2, target.previous_hash} or target.agent_id in listed
        assert not Target.objects.filter(rollout=self.rollout, active=True).exists()


def test_a_rollout_keeps_its_promises_in_any_history() -> None:
    run_state_machine_as_test(
        AnyHistory,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=HISTORIES <= DEFAULT,
        ),
    )
