"""The line over a rollout that comes or came back, and what it offers to do next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Agent, ConfigStatus, Quarantine
from console.pages.rollbacks.headline import Headline, headline_of
from console.pages.rollouts.story import story_of
from rollouts.models import Rollback, Rollout
from tests.console.pages.markup import markup
from tests.console.pages.rollbacks.rows import make_way_back
from tests.make.people import make_user, sign_in
from tests.rollouts.fleet import Fleet, state_of

pytestmark = pytest.mark.django_db


def headline(rollout: Rollout, after_s: float = 2.2) -> Headline:
    """The line so many seconds after the decision."""
    now = rollout.rollback.decided_at + timedelta(seconds=after_s)
    return headline_of(rollout, rollout.rollback, list(rollout.phases.all()), now)


def page(rollout: Rollout, *roles: str) -> str:
    return markup(sign_in("reader", *roles).get(f"/rollouts/{rollout.pk}/"))


def test_says_cause_value_and_limit_first_while_it_runs() -> None:
    found = headline(make_way_back(back=11))
    assert found.say == "Failure rate is 95 %, limit 5 %."
    assert found.decided_by == "Decided by this guard, no person asked"
    assert found.token == "bad"


def test_cannot_be_read_as_eleven_being_rolled_back() -> None:
    found = headline(make_way_back(back=11))
    assert found.then == [
        "Rolling 20 agents back to v2.",
        "180 agents never received v3.",
    ]
    assert (found.progress.confirmed, found.progress.online) == (11, 20)


def test_says_how_long_it_still_takes() -> None:
    assert headline(make_way_back(back=11)).left == "about 2 s left"


def test_says_no_time_when_nobody_comes_back_any_more() -> None:
    assert headline(make_way_back(back=11), after_s=300).left == ""


def test_says_no_time_while_batches_wait() -> None:
    rollout = make_way_back(back=11)
    rollout.rollback.method = Rollback.Method.GRADUAL
    rollout.rollback.save()
    rollout.rollback.targets.filter(state="offered").update(state="waiting")
    assert headline(rollout).left == ""


def test_afterwards_says_the_seconds_and_who_was_spared() -> None:
    found = headline(make_way_back(back=20, running=False))
    assert found.say == "Caught in 3 s, returned in 4 s."
    assert found.then == [
        "Failure rate was 95 %, limit 5 %.",
        "180 of 200 agents were never touched.",
        "v3 is quarantined: it is offered again only when a person lifts that.",
    ]
    assert found.token == "bad"


def test_a_lifted_quarantine_is_not_told_of() -> None:
    rollout = make_way_back(back=20, running=False)
    Quarantine.objects.update(lifted_at=timezone.now())
    assert not any("quarantined" in sentence for sentence in headline(rollout).then)


def test_agents_that_are_away_are_not_claimed_to_be_back() -> None:
    found = headline(make_way_back(back=18, running=False, offline=2))
    assert found.say == "Caught in 3 s. 18 of 20 agents are back."


def test_a_person_who_called_it_back_is_named_and_it_is_not_red() -> None:
    found = headline(make_way_back(back=20, running=False, by="lin"))
    assert found.say == "Stopped by lin after 3 s, returned in 4 s."
    assert found.then[0] == "Reason: “Not what we wanted”."
    assert found.token == "off"


def test_the_phase_that_failed_stays_red_and_says_where_its_agents_are() -> None:
    text = page(make_way_back(back=20, running=False), "viewer")
    assert "Failed, back on v2" in text
    assert '<span class="in is-bad"' in text
    assert 'class="f-ok"' not in text.split("phase-track", 1)[1].split("</ol>", 1)[0]


def test_the_next_steps_lead_where_they_say() -> None:
    rollout = make_way_back(back=20, running=False)
    text = page(rollout, "author", "approver")
    quarantined = rollout.version.config_hash
    for link in (
        'href="#errors"',
        'href="/configs/edge/diff/2...3/"',
        'href="/configs/edge/edit/?base=2"',
        f'href="/settings/quarantine/{quarantined}/"',
        f'href="/rollouts/{rollout.pk}/timeline/"',
    ):
        assert link in text.split('id="next-steps"', 1)[1], link
    assert "Write v4 from v2" in text


def test_the_line_that_the_agents_named_is_a_step_of_its_own() -> None:
    rollout = make_way_back(back=20, running=False)
    rollout.targets.exclude(error="").update(error="processors::batch::send_batch_size: too many")
    steps = page(rollout, "viewer").split('id="next-steps"', 1)[1].split("</section>", 1)[0]
    assert 'href="/configs/edge/v/3/#L6"' in steps
    assert "See line 6 of v3" in steps
    assert "“send_batch_size: 300”, v2 had “send_batch_size: 200”" in steps
    assert "/diff/" not in steps


def test_who_may_not_lift_the_quarantine_reads_who_may() -> None:
    make_user("chen", "approver")
    text = page(make_way_back(back=20, running=False), "viewer")
    steps = text.split('id="next-steps"', 1)[1].split("</section>", 1)[0]
    assert "chen may do this." in steps
    assert "/settings/quarantine/" not in steps


def test_nothing_is_to_be_done_while_it_comes_back() -> None:
    assert "What next" not in page(make_way_back(back=11), "operator")


def test_the_line_of_state_is_not_said_twice() -> None:
    text = page(make_way_back(back=11), "viewer")
    assert text.count('<p class="say">') == 1


def test_a_whole_way_back_is_told_from_what_the_engine_keeps() -> None:
    """Agents refuse v2, the plan's own guards turn the rollout round, agents go back."""
    fleet = Fleet(20)
    bad = fleet.v2.config_hash

    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        return ConfigStatus.FAILED if config_hash == bad else ConfigStatus.APPLIED

    fleet.answer = answer
    rollout = fleet.start()
    fleet.run_until(lambda: state_of(rollout) == "rolled_back")
    told = story_of(Rollout.objects.for_detail().get(pk=rollout.pk), fleet.now)
    assert told.headline is not None
    assert told.headline.say.startswith("Caught in ")
    assert ", returned in " in told.headline.say
    assert any("never touched" in sentence for sentence in told.headline.then)
    assert told.headline.decided_by.endswith("no person asked")
    lines = [row.line.text for row in told.rows]
    assert "v2 is quarantined for the whole fleet." in lines
    assert [chart.title for chart in told.before][:2] == [
        "Agents that had v2",
        "Agents that failed",
    ]
    actors = {row.line.event.act: row.line.actor for row in told.rows}
    assert actors["roll_back"] == actors["quarantined"] == actors["fail_phase"] == "policy"
    assert actors["rollback_done"] == "agents"
    links = {row.line.event.act: row.url for row in told.rows}
    assert links["fail_phase"] == f"/rollouts/{rollout.pk}/#errors"
    assert links["quarantined"] == f"/settings/quarantine/{bad}/"
    assert links["skip_phase"] == ""
