"""The overview: health over a day, change in an hour, configs in use, how the last rollouts ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import SYSTEM
from agents.models import AgentStatus, FleetSample
from console.live.sources import Sources
from console.pages.fleet import fragments, health, latest, view
from rollouts.models import Rollback, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


def sample(ago: timedelta, **counts: int) -> FleetSample:
    total = sum(counts.values())
    return FleetSample(
        at=NOW - ago, total=total, offline=counts.get("offline", 0), counts=dict(counts)
    )


def drawn(samples: list[FleetSample], starts: list[tuple[int, timedelta]]) -> health.FleetHealth:
    return health.draw(samples, [(pk, NOW - ago) for pk, ago in starts], NOW - health.SPAN, NOW)


def ended(state: str, name: str, *, took_s: float, kind: str = "") -> Rollout:
    rollout = make_rollout(make_config(name, 2)[1], state=state)
    Rollout.objects.filter(pk=rollout.pk).update(
        finished_at=NOW, started_at=NOW - timedelta(seconds=took_s)
    )
    if kind:
        Rollback.objects.create(rollout=rollout, kind=kind, state="succeeded", decided_at=NOW)
    return rollout


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer")


# --- health --------------------------------------------------------------------------------


def test_each_sample_is_a_reading_of_who_was_not_healthy() -> None:
    shown = drawn([sample(2 * HOUR, healthy=190, offline=10), sample(HOUR, healthy=200)], [])
    assert 'data-says="10 of 200 agents not healthy"' in shown.svg
    assert 'data-says="0 of 200 agents not healthy"' in shown.svg
    assert "0 now, at most 10." in shown.svg
    assert shown.most == "10 of 200 agents not healthy"


def test_agents_that_are_being_changed_are_well() -> None:
    shown = drawn([sample(HOUR, healthy=80, applying=100, queued=15, drifted=3, offline=2)], [])
    assert shown.most == "5 of 200 agents not healthy"


def test_agents_are_counted_in_whole_numbers() -> None:
    shown = drawn([sample(2 * HOUR, healthy=199, offline=1), sample(HOUR, healthy=200)], [])
    assert shown.ticks == ["1", "0"]
    assert shown.svg.count('class="grid-l"') == 2


def test_a_rollout_is_marked_where_it_began() -> None:
    shown = drawn([sample(HOUR, healthy=200)], [(7, 12 * HOUR)])
    assert '<g class="moment begun"><line x1="50%"' in shown.svg
    assert "R-0007" in shown.svg
    assert "1 rollout began." in shown.svg


def test_rollouts_that_stand_close_share_one_mark() -> None:
    starts = [(n, NOW - health.SPAN + timedelta(minutes=n)) for n in range(1, 10)]
    starts.append((20, NOW - HOUR))
    found = health.marks(starts, NOW - health.SPAN, health.SPAN.total_seconds())
    assert [mark.label for mark in found] == ["R-0001 +8", "R-0020"]


def test_a_chart_that_has_only_begun_says_so() -> None:
    FleetSample.objects.bulk_create([sample(timedelta(minutes=4), healthy=1)])
    shown = health.read(SYSTEM, list(FleetSample.objects.all()), NOW)
    assert shown is not None
    assert (shown.is_short, shown.until - shown.since) == (True, HOUR)


def test_without_a_sample_there_is_no_chart(client: Client) -> None:
    make_fleet(1)
    assert "first sample of the fleet is taken within two minutes" in markup(client.get("/"))


# --- change in an hour ---------------------------------------------------------------------


def test_each_number_says_how_it_changed_in_an_hour(client: Client) -> None:
    agents = make_fleet(4)
    AgentStatus.objects.filter(agent=agents[0]).update(healthy=False)
    sample(HOUR, healthy=1, unhealthy=3).save()
    page = markup(client.get("/"))
    assert '<span class="xs" id="fleet-d-healthy"' in page
    assert "> +2<span" in page
    assert "> \N{MINUS SIGN}2<span" in page


def test_without_a_sample_of_that_time_no_change_is_claimed(client: Client) -> None:
    make_fleet(1)
    sample(3 * HOUR, healthy=9).save()
    page = markup(client.get("/"))
    assert "in 1 h" not in page


# --- configs in use ------------------------------------------------------------------------


def test_versions_in_use_are_named_with_who_drifted(client: Client) -> None:
    one, two = make_config("edge", 2)
    make_fleet(3, running=one.config_hash)
    agents = make_fleet(2, running=two.config_hash)
    AgentStatus.objects.filter(agent=agents[0]).update(running_hash=one.config_hash)
    uses = view.read(SYSTEM, NOW).uses
    assert [(use.name, use.count, use.drifted) for use in uses.rows] == [
        ("edge v1", 4, 1),
        ("edge v2", 1, 0),
    ]
    page = markup(client.get("/"))
    assert "1 agent drifted: it runs another version than it should" in page
    assert 'href="/agents/?q=config%3Dedge%40v1"' in page


def test_the_link_of_a_version_finds_its_agents(client: Client) -> None:
    make_fleet(2)
    one, _two = make_config("edge", 2)
    make_fleet(3, running=one.config_hash)
    assert "3 of 5 match" in markup(client.get("/agents/?q=config%3Dedge%40v1"))


def test_what_is_no_version_of_ours_and_what_nobody_reports_is_said(client: Client) -> None:
    make_fleet(1, running="f" * 64)
    make_fleet(1)
    page = markup(client.get("/"))
    assert "not ours <code>ffffffff</code>" in page
    assert "no config reported" in page


# --- the last rollouts ---------------------------------------------------------------------


def test_the_strip_says_outcome_and_duration(client: Client) -> None:
    make_fleet(1)
    ended("succeeded", "good", took_s=108)
    ended("rolled_back", "bad", took_s=4.3, kind="automatic")
    ended("rolled_back", "called", took_s=60, kind="manual")
    make_rollout(make_config("runs", 2)[1])
    found = latest.read(SYSTEM)
    assert [(one.what, one.look.token, str(one.look.label)) for one in found] == [
        ("called v2", "off", "Rolled back"),
        ("bad v2", "bad", "Rolled back"),
        ("good v2", "ok", "Succeeded"),
    ]
    page = markup(client.get("/"))
    assert 'The last rollouts <span class="muted">3</span>' in page
    assert "<span>1 min 48 s</span>" in page
    assert "<span>4.3 s</span>" in page


def test_the_strip_has_ten(client: Client) -> None:
    for number in range(12):
        ended("succeeded", f"c{number}", took_s=1)
    assert len(latest.read(SYSTEM)) == 10


# --- live ----------------------------------------------------------------------------------


def test_the_feed_sends_the_same_regions_as_the_page(client: Client) -> None:
    [version] = make_config("edge", 1)
    make_fleet(2, running=version.config_hash)
    sample(HOUR, healthy=2).save()
    page = markup(client.get("/"))
    update = fragments.fleet(view.read(SYSTEM, timezone.now()), timezone.now())
    for region in ("fleet-total", "fleet-bar", "fleet-health", "fleet-uses", "fleet-n-healthy"):
        assert f'id="{region}"' in page
        assert f'id="{region}"' in update.html
    assert "edge v1" in update.html


def test_time_alone_is_no_change_of_the_fleet() -> None:
    """Else every open overview would read itself whole, every few seconds."""
    make_fleet(2)
    sample(HOUR, healthy=2).save()
    sources = Sources()
    first = sources.messages("fleet", [], NOW)["fleet"]
    later = sources.messages("fleet", [], NOW + timedelta(seconds=47))["fleet"]
    AgentStatus.objects.update(healthy=False)
    worse = sources.messages("fleet", [], NOW + timedelta(seconds=50))["fleet"]
    assert ["fleet.changed" in one for [one] in (first, later, worse)] == [True, False, True]
