"""What is known against a version is said wherever the version can be chosen."""

from __future__ import annotations

import pytest
from django.utils import timezone

from agents.models import Quarantine
from rollouts.models import ConfigVersion, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_rollout

pytestmark = pytest.mark.django_db


@pytest.fixture
def bad() -> ConfigVersion:
    """v2, which came back and is quarantined; the fleet runs v1."""
    versions = make_config("edge", 2)
    make_fleet(6, running=versions[0].config_hash)
    return versions[1]


def bring_back(version: ConfigVersion) -> Rollout:
    return make_rollout(version, state="rolled_back", phases=("rolled_back", "skipped", "skipped"))


def keep(version: ConfigVersion, outcome: str = "rolled_back") -> None:
    Quarantine.objects.create(
        config_hash=version.config_hash, outcome=outcome, by="system", at=timezone.now()
    )


def test_a_version_that_came_back_is_marked_and_not_rolled_out(bad: ConfigVersion) -> None:
    back = bring_back(bad)
    keep(bad)
    client = sign_in("op", "operator")
    for url in ("/configs/edge/v/2/", "/configs/edge/diff/1...2/"):
        page = client.get(url)
        text = markup(page)
        assert text.count(f"Rolled back in {back.number}, quarantined") == 2  # head and list
        assert f"v2 was rolled back in {back.number} and is quarantined" in text
        assert f'href="/settings/quarantine/{bad.config_hash}/"' in text
        assert "/rollouts/new/?config=edge&amp;version=2" not in text
    assert "/rollouts/new/?config=edge&amp;version=1" in markup(client.get("/configs/edge/v/1/"))


def test_without_a_quarantine_it_is_marked_and_may_be_tried_again(bad: ConfigVersion) -> None:
    back = bring_back(bad)
    text = markup(sign_in("op", "operator").get("/configs/edge/v/2/"))
    assert f"Rolled back in {back.number} <" in text or f"Rolled back in {back.number}<" in text
    assert "/rollouts/new/?config=edge&amp;version=2" in text


def test_one_that_passed_afterwards_is_not_marked(bad: ConfigVersion) -> None:
    bring_back(bad)
    make_rollout(bad, state="succeeded", phases=("passed", "passed", "passed"))
    assert "Rolled back in" not in markup(sign_in("vera", "viewer").get("/configs/edge/v/2/"))


def test_one_with_an_error_nobody_can_accept_is_marked_in_red(bad: ConfigVersion) -> None:
    check = {"check": "references", "level": "error", "line": 3, "message": "x", "final": True}
    ConfigVersion.objects.filter(pk=bad.pk).update(checks=[check])
    page = sign_in("op", "operator").get("/configs/edge/v/2/")
    text = markup(page)
    assert "1 error, cannot be rolled out" in text
    assert '<tr class="note is-bad">' in text
    assert "v2 has 1 error: no collector can run it." in text
    assert "/rollouts/new/?config=edge&amp;version=2" not in text


def test_a_quarantine_by_hand_is_a_mark_of_its_own(bad: ConfigVersion) -> None:
    keep(bad, "by_hand")
    assert "Quarantined" in markup(sign_in("vera", "viewer").get("/configs/edge/v/2/"))


def test_the_list_says_what_is_in_use(bad: ConfigVersion) -> None:
    make_fleet(2, running=bad.config_hash)
    last = make_rollout(bad)
    page = sign_in("vera", "viewer").get("/configs/")
    (row,) = page.context["rows"]
    assert (row.agents, row.uses, row.last) == (8, [(1, 6), (2, 2)], last)
    text = markup(page)
    assert "v1 on 6 agents, v2 on 2 agents" in text
    assert last.number in text


def test_the_list_counts_who_runs_something_else(bad: ConfigVersion) -> None:
    agents = make_fleet(3, running=bad.config_hash)
    for agent in agents[:2]:
        agent.status.running_hash = "ab" * 32
        agent.status.save(update_fields=["running_hash"])
    (row,) = sign_in("vera", "viewer").get("/configs/").context["rows"]
    assert (row.agents, row.drifted) == (7, 2)


def test_the_list_marks_a_newest_version_that_came_back(bad: ConfigVersion) -> None:
    back = bring_back(bad)
    keep(bad)
    text = markup(sign_in("vera", "viewer").get("/configs/"))
    assert f"Rolled back in {back.number}, quarantined" in text
    assert f'href="/rollouts/{back.pk}/"' in text
