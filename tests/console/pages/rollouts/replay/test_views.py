"""The replay of a rollout that was really driven shows what its page showed at that time."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from agents.models import Agent, ConfigStatus
from console.pages.rollouts import page
from console.pages.said import NO_ERRORS
from rollouts.as_of import as_of
from rollouts.engine.facts import GateKind
from rollouts.models import Event, Rollout
from tests.console.pages.markup import markup
from tests.make.people import sign_in
from tests.rollouts.fleet import CANARY_THEN_ALL, Fleet

pytestmark = pytest.mark.django_db


def of(rollout: Rollout) -> Rollout:
    return Rollout.objects.for_detail().get(pk=rollout.pk)


def shown(rollout: Rollout, now: datetime) -> dict[str, Any]:
    """What the page of a rollout shows, without its row and without what the agents said."""
    return plain(page.read(of(rollout), now), page.agents_of(of(rollout)))


def shown_then(rollout: Rollout, at: datetime) -> dict[str, Any]:
    past = as_of(of(rollout), at)
    return plain(page.read(past.rollout, at, at), page.agents_of(past.rollout, at))


def plain(view: page.View, agents: page.Agents) -> dict[str, Any]:
    """What is shown, but for the row itself, what the agents said, and when the floor was counted last:
    a look that changes nothing leaves no trace."""
    events = [line.event.pk for line in view.events]
    back = view.way_back and asdict(view.way_back)
    if back:
        back["progress"].pop("rollback")
    kept = replace(view, rollout=None, events=[], errors=NO_ERRORS, way_back=None)  # type: ignore[arg-type]
    fields = {name: getattr(kept, name) for name in page.View.__slots__}
    fields["tiles"] = [
        replace(tile, at=None) if tile.kind == GateKind.FLOOR else tile for tile in view.tiles
    ]
    return {**fields, "events": events, "way_back": back, "agents": agents}


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(12)


def refuse(fleet: Fleet) -> None:
    def answer(agent: Agent, config_hash: str) -> ConfigStatus:
        is_bad = config_hash == fleet.v2.config_hash
        return ConfigStatus.FAILED if is_bad else ConfigStatus.APPLIED

    fleet.answer = answer


def test_at_its_last_moment_a_replay_is_the_live_page(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(14)
    refuse(fleet)
    fleet.run(20)
    assert of(rollout).state in {"rolled_back", "succeeded"}
    assert shown_then(rollout, fleet.now) == shown(rollout, fleet.now)


def test_a_replay_shows_each_second_as_the_page_showed_it(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    seen = []
    for second in range(30):
        if second == 11:
            refuse(fleet)
        fleet.run(1)
        seen.append((fleet.now, shown(rollout, fleet.now)))
    assert of(rollout).state == "rolled_back"
    for at, then in seen:
        assert shown_then(rollout, at) == then


def ask(rollout: Rollout, query: dict[str, str], **headers: str) -> str:
    client = sign_in(f"vera-{len(query)}-{len(headers)}", "viewer")
    answer = client.get(f"/rollouts/{rollout.pk}/replay/?{urlencode(query)}", headers=headers)
    assert answer.status_code == 200
    return markup(answer)


def test_the_page_works_by_its_links_alone(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(12)
    passed = Event.objects.filter(rollout=rollout, act="pass_phase").earliest("seq")
    before = ask(rollout, {"at": (passed.at - timedelta(seconds=1)).isoformat()})
    assert "Observing" in before
    assert f"?at={urlencode({'': passed.at.isoformat().replace('+00:00', 'Z')})[1:]}" in before
    assert 'type="range"' in before
    after = ask(rollout, {"at": passed.at.isoformat(), "x": ""})
    assert "Canary passed" in after


def test_a_step_is_a_moment_and_a_wrong_one_is_the_nearest(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(5)
    assert 'value="0"' in ask(rollout, {"step": "0"})
    last = ask(rollout, {"step": "99999", "x": ""})
    assert 'data-to="after" aria-disabled="true"' in last
    assert "Nothing" not in ask(rollout, {"at": "yesterday", "x": "", "y": ""})


def test_a_step_of_the_slider_reads_the_regions_alone(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(5)
    headers = {"HX-Request": "true", "HX-Target": "then"}
    part = ask(rollout, {"at": fleet.now.isoformat()}, **headers)
    assert part.startswith('<div class="stack" id="then"')
    assert "range" not in part


def test_a_draft_has_nothing_but_its_draft_to_replay(fleet: Fleet) -> None:
    assert "Drafted" in ask(fleet.draft(CANARY_THEN_ALL), {})


def test_a_replay_never_offers_an_act(fleet: Fleet) -> None:
    rollout = fleet.start(CANARY_THEN_ALL)
    fleet.run(3)
    client = sign_in("op", "operator")
    page_text = markup(client.get(f"/rollouts/{rollout.pk}/replay/"))
    assert "Pause…" not in page_text
    assert "may-waive" not in page_text
