"""Each act: allowed, denied by role, stale, twice, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from console.api.rollouts.answers import rollout_view
from console.lib.problems import Denied, Invalid, Missing, Problem, Refused, Stale
from rollouts.actions.abort import abort
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.actions.pause import pause
from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.waive import waive
from rollouts.models import Approval, Event, Rollout, Target, Waiver
from tests.make.people import make_actor
from tests.make.speech import feel
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of, why_of

pytestmark = pytest.mark.django_db

WARNS = {
    **CANARY_THEN_ALL,
    "thresholds": {"failure_rate": {"warning": "5%", "critical": "90%"}},
    "tolerated_failures": "50%",
}


def observing(agents: int = 20, plan: Any = None) -> tuple[Fleet, Rollout]:
    fleet = Fleet(agents)
    rollout = fleet.start(plan or CANARY_THEN_ALL)
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    return fleet, rollout


def asked(plan: Any = None) -> tuple[Fleet, Rollout]:
    fleet = Fleet(20)
    rollout = fleet.start(manual(plan or CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    return fleet, rollout


def done(act: Callable[..., Any], fleet: Fleet, rollout: Rollout, by: Actor, **more: Any) -> Any:
    return act(rollout_id=rollout.pk, by=by, now=fleet.now, **more)


BY_OPERATOR: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "pause": (pause, {}),
    "advance": (advance, {"reason": "why"}),
    "abort": (abort, {"reason": "why"}),
    "rollback": (rollback_rollout, {"reason": "why"}),
}


@pytest.mark.parametrize("name", BY_OPERATOR)
def test_an_operator_may_and_it_is_audited(name: str) -> None:
    act, more = BY_OPERATOR[name]
    fleet, rollout = observing()
    before = AuditEvent.objects.count()
    done(act, fleet, rollout, fleet.operator, **more)
    assert AuditEvent.objects.filter(actor=fleet.operator.user).exists()
    assert AuditEvent.objects.count() > before


@pytest.mark.parametrize("name", BY_OPERATOR)
def test_an_author_may_not(name: str) -> None:
    act, more = BY_OPERATOR[name]
    fleet, rollout = observing()
    with pytest.raises(Denied, match="Needs the role"):
        done(act, fleet, rollout, fleet.author, **more)


@pytest.mark.parametrize("name", BY_OPERATOR)
def test_who_saw_an_older_revision_does_nothing(name: str) -> None:
    act, more = BY_OPERATOR[name]
    fleet, rollout = observing()
    with pytest.raises(Stale, match=r"Observation of canary started: .* Nothing was done"):
        done(act, fleet, rollout, fleet.operator, seen_revision=1, **more)
    assert state_of(rollout) == "running"


@pytest.mark.parametrize("name", ["pause", "abort", "rollback"])
def test_twice_is_refused(name: str) -> None:
    act, more = BY_OPERATOR[name]
    fleet, rollout = observing()
    done(act, fleet, rollout, fleet.operator, **more)
    with pytest.raises(Refused):
        done(act, fleet, rollout, fleet.operator, **more)


@pytest.mark.parametrize("name", ["advance", "abort", "rollback"])
def test_a_reason_is_needed(name: str) -> None:
    fleet, rollout = observing()
    with pytest.raises(Invalid, match="needs a reason"):
        done(BY_OPERATOR[name][0], fleet, rollout, fleet.operator, reason="  ")


def test_a_rollout_that_does_not_exist_is_missing() -> None:
    with pytest.raises(Missing, match="R-0999"):
        pause(rollout_id=999, by=make_actor("operator"))


# Pause, resume, advance, abort


def test_a_pause_sends_nothing_more_and_says_who() -> None:
    fleet, rollout = observing()
    done(pause, fleet, rollout, fleet.operator, reason="lunch")
    fleet.run(60)
    assert phases_of(rollout) == ["observing", "pending"]
    assert f"Paused by {fleet.operator.name}: lunch" in why_of(rollout)


def test_a_resume_goes_on_where_it_stood() -> None:
    fleet, rollout = observing()
    done(pause, fleet, rollout, fleet.operator)
    fleet.run(60)
    done(resume, fleet, rollout, fleet.operator)
    assert phases_of(rollout)[0] == "observing"
    fleet.run_until(lambda: state_of(rollout) == "succeeded")


def test_a_pause_during_the_bake_resumes_into_the_bake() -> None:
    fleet, rollout = observing()
    fleet.run_until(lambda: state_of(rollout) == "completing")
    done(pause, fleet, rollout, fleet.operator)
    done(resume, fleet, rollout, fleet.operator)
    assert state_of(rollout) == "completing"


def test_advance_skips_the_rest_of_the_observation_by_name() -> None:
    fleet, rollout = observing()
    done(advance, fleet, rollout, fleet.operator, reason="seen enough")
    assert phases_of(rollout) == ["passed", "deploying"]
    assert rollout.phases.get(index=0).advanced_by == fleet.operator.name


def test_advance_is_refused_while_a_gate_is_red() -> None:
    fleet, rollout = observing(plan=WARNS)
    canary = Target.objects.filter(phase__index=0).select_related("agent").first()
    assert canary is not None
    feel(canary.agent, False, at=fleet.now)
    fleet.run(20)
    with pytest.raises(Refused, match="gate is red"):
        done(advance, fleet, rollout, fleet.operator, reason="hurry")


def test_abort_leaves_everyone_as_they_are_and_frees_them() -> None:
    fleet, rollout = observing()
    done(abort, fleet, rollout, fleet.operator, reason="wrong config")
    fleet.run(10)
    assert fleet.running() == {fleet.v2.config_hash: 2, fleet.v1.config_hash: 18}
    assert phases_of(rollout) == ["skipped", "skipped"]
    assert not Target.objects.filter(active=True).exists()


def test_what_the_gates_said_stays_after_an_abort() -> None:
    fleet, rollout = observing()
    fleet.run(10)
    done(abort, fleet, rollout, fleet.operator, reason="wrong config")
    later = fleet.now + timedelta(hours=1)
    phase = rollout_view(Rollout.objects.get(pk=rollout.pk), later)["phases"][0]
    said = [gate for gate in phase["gates"] if not gate["gate"].endswith("@default")]
    assert {gate["value"] for gate in said} == {0.0}
    assert not any(gate["no_data_since"] for gate in said)


def test_a_draft_can_be_aborted() -> None:
    fleet = Fleet(2)
    rollout = fleet.draft()
    done(abort, fleet, rollout, fleet.operator, reason="changed my mind")
    assert state_of(rollout) == "aborted"


# Approve, reject


def test_an_approver_starts_the_phase() -> None:
    fleet, rollout = asked()
    done(approve, fleet, rollout, fleet.approver, phase="all", reason="looks fine")
    assert phases_of(rollout)[1] == "deploying"
    assert Approval.objects.get().decided_by == fleet.approver.user


def test_an_operator_may_not_approve() -> None:
    fleet, rollout = asked()
    with pytest.raises(Denied):
        done(approve, fleet, rollout, fleet.operator, phase="all")


@pytest.mark.parametrize("who", ["author", "operator"])
def test_who_wrote_or_started_it_cannot_approve_it(who: str) -> None:
    fleet, rollout = asked()
    person: Actor = getattr(fleet, who)
    both = make_actor("approver")
    assert person.user is not None
    assert both.user is not None
    both.user.role_bindings.update(user=person.user)
    person.user.__dict__.pop("_tidegate_roles", None)
    with pytest.raises(Denied, match="four eyes"):
        done(approve, fleet, rollout, person, phase="all")


def test_a_token_never_approves() -> None:
    fleet, rollout = asked()
    assert fleet.approver.user is not None
    token = Actor.of(fleet.approver.user, "ci")
    with pytest.raises(Denied, match="token"):
        done(approve, fleet, rollout, token, phase="all")


def test_an_approval_on_other_evidence_is_stale() -> None:
    fleet, rollout = asked()
    with pytest.raises(Stale, match="evidence changed"):
        done(approve, fleet, rollout, fleet.approver, phase="all", seen_digest="0" * 64)


def test_the_digest_that_was_shown_is_accepted() -> None:
    fleet, rollout = asked()
    digest = Approval.objects.get().digest
    done(approve, fleet, rollout, fleet.approver, phase="all", seen_digest=digest)
    assert phases_of(rollout)[1] == "deploying"


def test_nothing_asked_is_refused() -> None:
    fleet, rollout = observing()
    with pytest.raises(Refused, match="does not wait"):
        done(approve, fleet, rollout, fleet.approver, phase="all")


def test_an_unknown_phase_is_missing_and_names_those_there_are() -> None:
    fleet, rollout = asked()
    with pytest.raises(Missing, match="canary, all"):
        done(approve, fleet, rollout, fleet.approver, phase="production")


def test_a_gate_that_turns_red_withdraws_the_question_and_refuses_the_answer() -> None:
    fleet, rollout = asked(WARNS)
    canary = Target.objects.filter(phase__index=0).select_related("agent").first()
    assert canary is not None
    feel(canary.agent, False, at=fleet.now)
    fleet.run(10)
    with pytest.raises(Problem):
        done(approve, fleet, rollout, fleet.approver, phase="all")
    assert Approval.objects.get().state == "withdrawn"
    assert "cannot be approved now" in why_of(rollout)
    feel(canary.agent, True, at=fleet.now)
    # Well for four times `health_grace`.
    fleet.run(65)
    assert Approval.objects.filter(state="waiting").count() == 1


def test_a_question_expires_after_a_day_and_the_rollout_pauses() -> None:
    fleet, rollout = asked()
    fleet.now += timedelta(hours=24)
    fleet.run(40)
    assert state_of(rollout) == "paused"
    assert Approval.objects.filter(state="expired").exists()


def test_a_rejection_pauses_and_resuming_asks_again() -> None:
    fleet, rollout = asked()
    done(reject, fleet, rollout, fleet.approver, phase="all", reason="not on a Friday")
    assert state_of(rollout) == "paused"
    assert "not on a Friday" in why_of(rollout)
    done(resume, fleet, rollout, fleet.operator)
    assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == [
        "rejected",
        "waiting",
    ]


def test_an_approval_that_waits_is_withdrawn_when_the_rollout_is_aborted() -> None:
    fleet, rollout = asked()
    done(abort, fleet, rollout, fleet.operator, reason="no")
    assert Approval.objects.get().state == "withdrawn"


# Waive


def test_a_waived_gate_counts_as_passed_by_name() -> None:
    plan = {**CANARY_THEN_ALL, "phases": [dict(phase) for phase in CANARY_THEN_ALL["phases"]]}
    plan["phases"][0]["success_criteria"] = [
        {"metric": "latency_p95", "operator": "<", "threshold": "100ms"}
    ]
    fleet, rollout = observing(plan=plan)
    fleet.run(40)
    assert "no data" in why_of(rollout)
    done(
        waive,
        fleet,
        rollout,
        fleet.approver,
        phase="canary",
        gate="criterion:latency_p95",
        reason="checked by hand",
    )
    assert phases_of(rollout)[0] == "passed"
    assert Waiver.objects.get().by == fleet.approver.user


def test_an_operator_may_not_waive() -> None:
    fleet, rollout = observing()
    with pytest.raises(Denied):
        done(waive, fleet, rollout, fleet.operator, phase="canary", gate="x", reason="why")


def test_an_unknown_gate_is_missing() -> None:
    fleet, rollout = observing()
    with pytest.raises(Missing, match="no gate"):
        done(waive, fleet, rollout, fleet.approver, phase="canary", gate="x", reason="why")


def test_every_event_has_its_audit_row() -> None:
    _, rollout = asked()
    events = Event.objects.filter(rollout=rollout).count()
    rows = AuditEvent.objects.filter(object_kind="rollout", object_id=str(rollout.pk))
    assert rows.count() == events
