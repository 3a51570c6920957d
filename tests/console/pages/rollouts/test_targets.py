"""The agents of a rollout as a picture, a legend and a list: every state has its own word and shape."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent
from console.pages.rollbacks.progress import progress_of
from console.pages.rollouts import targets
from console.pages.rollouts.page import agents_of, errors_of
from console.words import states as words
from rollouts.delivering import counts
from rollouts.engine.states import FAILED_TARGETS, RollbackTargetState, TargetState
from rollouts.models import Rollback, RollbackTarget, Rollout, Target
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollback, make_rollout

pytestmark = pytest.mark.django_db
STATES = [state.value for state in TargetState]


def rolled_back(came_from: str) -> Rollout:
    """Six agents in a rollout that is over; the first two of them failed and are back."""
    versions = make_config("edge", 2)
    agents = make_fleet(6, running=versions[0].config_hash)
    phases = ("rolled_back", "skipped", "skipped")
    rollout = make_rollout(versions[1], state="rolled_back", phases=phases, agents=agents)
    rows = Target.objects.filter(rollout=rollout).order_by("pk")
    rows.filter(phase__index=0).update(state="rolled_back", taken_from=came_from, error="no such")
    rows.filter(phase__index__gt=0).update(state="skipped")
    counts.recount(rollout.phases.all(), timezone.now())
    return rollout


def test_each_state_of_a_target_has_an_entry_in_the_legend() -> None:
    kinds = {
        words.target_kind(state, online, started, was, way)
        for state in STATES
        for online in (True, False)
        for started in (True, False)
        for was in ("", *STATES)
        for way in ("", "coming_back", "offline")
    }
    assert kinds == set(targets.LEGEND) == set(words.TARGET)


def test_no_two_kinds_look_or_read_the_same() -> None:
    looks = [(look.token, look.icon) for look in words.TARGET.values()]
    assert len(set(looks)) == len(looks)
    said = [str(look.label) for look in words.TARGET.values()]
    assert len(set(said)) == len(said)
    page = markup(sign_in("vera", "viewer").get(f"/rollouts/{rolled_back('failed').pk}/"))
    shapes = [re.search(rf'<g id="c-{kind}">(.*?)</g>', page) for kind in targets.LEGEND]
    drawn = [found.group(1) for found in shapes if found]
    assert len(set(drawn)) == len(targets.LEGEND)


@pytest.mark.parametrize("way", sorted(FAILED_TARGETS))
def test_who_failed_stays_countable_after_the_way_back(way: str) -> None:
    rollout = rolled_back(way)
    shown = agents_of(rollout)
    assert sum(key.count for key in shown.legend) == shown.total == 6
    assert {key.kind: key.count for key in shown.legend if key.count} == {
        "failed_back": 2,
        "todo": 4,
    }
    [group] = errors_of(rollout, list(rollout.phases.all())).groups
    assert (group.group.kind, group.group.agents) == (way, 2)
    page = markup(sign_in("vera", "viewer").get(f"/rollouts/{rollout.pk}/"))
    said = {"failed": "2 refused", "timed_out": "2 did not answer", "lost": "2 lost"}
    assert said.get(way, "2 fell back by themselves") in page


def test_the_list_behind_each_entry_has_as_many_agents() -> None:
    rollout = rolled_back("lost")
    viewer = sign_in("vera", "viewer")
    for key in agents_of(rollout).legend:
        rows = markup(viewer.get(key.url)).count('<th scope="row">')
        assert rows == key.count, key.kind


def test_a_rollout_too_large_for_cells_is_counted_and_no_agent_of_it_read(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rollout = Rollout.objects.for_detail().get(pk=rolled_back("failed").pk)
    small = agents_of(rollout)
    monkeypatch.setattr(targets, "MAX_CELLS", 5)
    with django_assert_num_queries(1) as asked:
        large = agents_of(rollout)
    assert not [one for one in asked.captured_queries if "agents_agent" in one["sql"]]
    assert (large.legend, large.total) == (small.legend, 6)
    assert (large.grid, large.cells, large.layout != small.layout) == ("", [], True)


@pytest.fixture
def coming_back() -> Rollout:
    """Six agents that are all on their way back or were never reached, one in each state of a target."""
    rollout = rolled_back("failed")
    Rollout.objects.filter(pk=rollout.pk).update(state="rolling_back")
    agents = list(Agent.objects.order_by("pk")[:4])
    rollback = make_rollback("a" * 64, agents)
    Rollback.objects.filter(pk=rollback.pk).update(rollout=rollout, kind="automatic")
    rows = list(Target.objects.filter(rollout=rollout).order_by("agent"))
    ways = (("confirmed", "rolled_back"), ("offered", "offered"), ("waiting", "applied"))
    for row, (way, state) in zip(rows, (*ways, ("offered", "failed")), strict=False):
        RollbackTarget.objects.filter(agent=row.agent).update(state=way)
        Target.objects.filter(pk=row.pk).update(state=state, taken_from="")
    RollbackTarget.objects.filter(agent=rows[2].agent).update(online=False)
    Target.objects.filter(pk__in=[row.pk for row in rows[4:]]).update(
        state="skipped", taken_from=""
    )
    return Rollout.objects.for_detail().get(pk=rollout.pk)


def test_who_is_on_the_way_back_is_not_applying(coming_back: Rollout) -> None:
    shown = agents_of(coming_back)
    assert {key.kind: key.count for key in shown.legend if key.count} == {
        "coming_back": 2,
        "returned": 1,
        "offline": 1,
        "todo": 2,
    }
    assert sum(key.count for key in shown.legend) == shown.total == 6
    assert targets.counted(coming_back, targets.told_of(coming_back)) == targets.counts(
        targets.cells_of(coming_back)
    )


def test_the_list_of_those_on_the_way_back_has_as_many(coming_back: Rollout) -> None:
    viewer = sign_in("vera", "viewer")
    for key in agents_of(coming_back).legend:
        page = markup(viewer.get(key.url))
        assert page.count('<th scope="row">') == key.count, key.kind
        assert f"({key.count})" in page or not key.count
    assert "Back at" in markup(viewer.get(f"/rollouts/{coming_back.pk}/agents/"))


def test_a_way_back_that_is_over_says_what_became_of_each(coming_back: Rollout) -> None:
    Rollback.objects.update(state="incomplete")
    rollout = Rollout.objects.for_detail().get(pk=coming_back.pk)
    numbers = targets.counted(rollout, targets.told_of(rollout))
    assert numbers["coming_back"] == 0
    assert (numbers["applied"], numbers["failed"]) == (1, 1)


def test_who_did_not_fail_is_only_back() -> None:
    rollout = rolled_back("applied")
    shown = agents_of(rollout)
    assert {key.kind: key.count for key in shown.legend if key.count} == {"returned": 2, "todo": 4}
    assert not errors_of(rollout, list(rollout.phases.all()))


def test_the_legend_of_a_way_back_adds_up() -> None:
    versions = make_config("edge", 2)
    agents = make_fleet(len(RollbackTargetState) + 3, running=versions[0].config_hash)
    rollback = make_rollback(versions[0].config_hash, agents)
    rows = list(rollback.targets.order_by("pk"))
    for row, state in zip(rows, RollbackTargetState, strict=False):
        RollbackTarget.objects.filter(pk=row.pk).update(state=state)
    for row, gone in zip(rows[-3:], ("waiting", "offered", "confirmed"), strict=True):
        RollbackTarget.objects.filter(pk=row.pk).update(state=gone, online=False)
    far = progress_of(rollback)
    assert far.total == len(agents) == (
        far.confirmed + far.offered + far.failed + far.offline
        + far.no_version + far.waiting + far.skipped
    )  # fmt: skip
    assert min(far.confirmed, far.offered, far.failed, far.offline, far.waiting, far.skipped) > 0
