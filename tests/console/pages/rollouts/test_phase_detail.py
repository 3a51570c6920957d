"""The page of one phase: when, who let it, its agents, what its gates read at its end."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, ConfigStatus
from console.pages.rollouts import phase_detail
from console.pages.rollouts.phase_detail import PhaseDetail
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.models import Rollout
from tests.console.pages.markup import markup
from tests.make.people import sign_in
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet, manual, phases_of, state_of

pytestmark = pytest.mark.django_db


def detail(fleet: Fleet, rollout: Rollout, number: int) -> PhaseDetail:
    found = Rollout.objects.for_detail().get(pk=rollout.pk)
    steps = sorted(found.phases.all(), key=lambda phase: phase.index)
    return phase_detail.read(found, steps, number - 1, fleet.now)


def test_a_passed_phase_says_when_and_what_its_gates_read_then() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "passed")
    found = detail(fleet, rollout, 1)
    assert found.phase.started_at is not None
    assert found.phase.finished_at is not None
    assert found.ended is not None
    assert found.ended.text.startswith("Canary passed")
    assert not found.is_read_now
    titles = {gate.row.title: gate for gate in found.gates}
    assert titles["Failure rate"].row.asked == "0 %"
    assert titles["Failure rate"].row.limit == "10 %"
    assert titles["Failure rate"].url.endswith("/readings/?gate=criterion%3Afailure_rate")
    assert [(key.kind, key.count) for key in found.legend] == [("applied", 2)]
    assert (found.observed, found.planned) == ("10 s", "10 s")
    assert found.took


def test_a_phase_under_way_shows_its_gates_as_they_are_now() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    fleet.run(3)
    found = detail(fleet, rollout, 1)
    assert found.is_read_now
    assert found.gates
    assert found.ended is None
    assert (found.took, found.observed) == (
        "",
        "",
    )  # what grows with time is no number to stand still


def test_a_phase_that_comes_later_says_so() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    found = detail(fleet, rollout, 2)
    assert (found.began, found.ended, found.gates, found.took) == (None, None, [], "")
    assert [(key.kind, key.count) for key in found.legend] == [("todo", 18)]


def test_who_approved_and_who_skipped_the_rest_is_named() -> None:
    fleet = Fleet(20)
    rollout = fleet.start(manual(CANARY_THEN_ALL))
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    advance(rollout_id=rollout.pk, by=fleet.operator, reason="Seen enough.", now=fleet.now)
    found = detail(fleet, rollout, 1)
    assert found.phase.advanced_by == fleet.operator.name
    assert found.ended is not None
    assert (found.ended.actor, found.ended.reason) == (fleet.operator.name, "Seen enough.")
    fleet.run_until(lambda: phases_of(rollout)[1] == "awaiting_approval")
    approve(rollout_id=rollout.pk, phase="all", by=fleet.approver, reason="Go.", now=fleet.now)
    fleet.run_until(lambda: phases_of(rollout)[1] == "deploying")
    lines = [line.text for line in detail(fleet, rollout, 2).lines]
    assert "All approved." in lines


def test_a_phase_that_failed_shows_what_decided_it() -> None:
    fleet = Fleet(20)
    bad = fleet.v2.config_hash

    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        return ConfigStatus.FAILED if config_hash == bad else ConfigStatus.APPLIED

    fleet.answer = answer
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    found = detail(fleet, rollout, 1)
    assert found.ended is not None
    assert found.ended.event.act == "fail_phase"
    assert any(gate.row.look.token == "bad" for gate in found.gates)
    assert [(key.kind, key.count) for key in found.legend] == [("failed_back", 2)]


def test_the_page_is_reached_from_the_track_and_leads_on() -> None:
    fleet = Fleet(20)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "passed")
    client = sign_in("vera", "viewer")
    track = markup(client.get(f"/rollouts/{rollout.pk}/"))
    assert f'href="/rollouts/{rollout.pk}/phases/1/"' in track
    assert 'id="phase-1"' in track
    text = markup(client.get(f"/rollouts/{rollout.pk}/phases/1/"))
    assert "Canary of" in text
    assert f'href="/rollouts/{rollout.pk}/phases/2/"' in text
    assert f'href="/rollouts/{rollout.pk}/#phase-1"' in text


@pytest.mark.parametrize("number", [0, 3, 99])
def test_a_phase_that_is_not_there_is_not_found(number: int) -> None:
    rollout = Fleet(4).start()
    answer = sign_in("vera", "viewer").get(f"/rollouts/{rollout.pk}/phases/{number}/")
    assert answer.status_code == 404
    assert "it has 2" in markup(answer)


def test_it_costs_the_same_however_many_agents() -> None:
    fleet = Fleet(60)
    rollout = fleet.start()
    fleet.run_until(lambda: phases_of(rollout)[0] == "observing")
    client = sign_in("vera", "viewer")
    client.get(f"/rollouts/{rollout.pk}/phases/1/")
    with CaptureQueriesContext(connection) as taken:
        assert client.get(f"/rollouts/{rollout.pk}/phases/1/").status_code == 200
    assert len(taken) <= 20
