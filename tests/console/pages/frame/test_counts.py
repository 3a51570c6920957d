"""The numbers of the navigation: asked by every page, by a statement that is built once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleBinding
from console.pages.frame import counts
from rollouts.attention import sources
from rollouts.models import Rollout
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_actor
from tests.make.rollouts import make_approval, make_rollout
from tests.make.times import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_STATEMENT", type(counts._STATEMENT)())


def late(rows: list[counts.Row]) -> bool:
    return any(kind == sources.SourceKind.ENGINE_LATE for kind, _, _ in rows)


def test_a_statement_that_was_built_before_asks_about_now() -> None:
    actor = make_actor("operator")
    make_rollout(make_config("edge", 1)[0], state="running")
    Rollout.objects.update(next_tick_at=NOW)
    for now, is_late in ((NOW, False), (LATER, True), (NOW, False)):
        assert late(counts.read(actor, now)) is is_late


def test_it_is_built_once_for_each_person(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = make_actor("operator"), make_actor("viewer")
    built = []

    def count(*given: Any) -> Any:
        built.append(given)
        return sources.statement(*given)

    monkeypatch.setattr(counts, "statement", count)
    texts = []
    for actor in (one, other, one, other):
        with CaptureQueriesContext(connection) as asked:
            counts.read(actor, NOW)
        texts.append(asked.captured_queries[-1]["sql"])
    assert (len(built), len(asked)) == (2, 1)
    assert texts[:2] == texts[2:]


def test_the_questions_of_a_person_follow_the_roles_that_are_held_now() -> None:
    agents = make_fleet(3)
    rollout = make_rollout(make_config("edge", 1)[0], state="running", agents=agents)
    make_approval(rollout)
    actor = make_actor("approver")
    assert actor.user is not None
    assert counts.for_navigation(counts.read(actor, NOW))["approvals"] == 1
    RoleBinding.objects.filter(user=actor.user).update(role="viewer")
    del actor.user._tidegate_roles  # type: ignore[attr-defined]
    assert "approvals" not in counts.for_navigation(counts.read(actor, NOW))
