"""No statement depends on statistics of the rollout that it is about (issue: a tick that hung).

Each test drives the product on tables with a history and reads what PostgreSQL did: no step of any
statement may look at many times as many rows as there are agents, which any nested loop over
agents x agents does at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actor import Actor
from agents.gateway.registry import take_over_sql
from agents.gateway.writing import statements as writes
from agents.models import Delivery
from rollouts.actions.draft import draft_rollout
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.actions.start import start
from rollouts.delivering.joiners import count_joiners, welcome
from rollouts.loop.begin import blockers_of
from rollouts.loop.look import look
from rollouts.models import Rollout
from rollouts.rollback import waves
from tests.make.agents import make_collector
from tests.make.configs import make_version
from tests.make.people import make_actor
from tests.make.times import NOW
from tests.query_plans import Watch, explained, watched
from tests.rollouts.history import answer, fleet_with_history

AGENTS, PAST, OF_EACH = 2000, 20, 200
# The whole history a few times, or a table of one page for each agent; a product of two sets of
# agents is 4,000,000.
LIMIT = 30 * AGENTS
PLAN: dict[str, Any] = {
    "name": "large",
    "phases": [
        {"name": "canary", "weight": "1%", "duration": "10s"},
        {"name": "all", "weight": "100%", "duration": "10s"},
    ],
    "max_in_flight": 100_000,
    "apply_timeout": "60s",
    "bake": "5s",
}

pytestmark = pytest.mark.django_db


class Drive:
    """A rollout of everybody, looked at second by second."""

    def __init__(self, by: Actor) -> None:
        self.now, self.by = NOW, by
        self.rollout: Rollout | None = None

    def begin(self) -> None:
        given: dict[str, Any] = {"config": "edge", "version": PAST + 1, "plan": PLAN}
        self.rollout = draft_rollout(selector="*", by=self.by, now=self.now, **given)
        start(rollout_id=self.rollout.pk, by=self.by, now=self.now)

    @property
    def hash(self) -> str:
        assert self.rollout is not None
        return self.rollout.version.config_hash

    def look(self, after_s: float = 1.0) -> Rollout:
        assert self.rollout is not None
        self.now += timedelta(seconds=after_s)
        with transaction.atomic():
            rollout = Rollout.objects.claim(self.rollout.pk)
            assert rollout is not None
            look(rollout, self.now)
        return rollout

    def offer_all(self) -> None:
        """Look until most agents have an open offer."""
        answer(AGENTS, self.now)
        assert self.rollout is not None
        for _ in range(30):
            self.look()
            self.rollout.phases.filter(index=0).update(observed_s=3600)
            if Delivery.objects.filter(state="open").count() > AGENTS // 2:
                return
        raise AssertionError("nothing was offered to all")


@pytest.fixture
def drive() -> Drive:
    fleet_with_history(AGENTS, PAST, OF_EACH)
    make_version()
    return Drive(make_actor("operator"))


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watched(LIMIT) as found:
        yield found
    assert found.statements
    assert not found.over, "\n".join(found.over)


def test_draft_start_and_offer(drive: Drive, watch: Watch) -> None:
    drive.begin()
    drive.offer_all()


def test_observing_what_all_said(drive: Drive) -> None:
    drive.begin()
    drive.offer_all()
    answer(AGENTS - 300, drive.now)
    answer(100, drive.now, "failed")
    with watched(LIMIT) as watch:
        drive.look()
        drive.look(61)
    assert not watch.over, "\n".join(watch.over)


def test_rolling_back(drive: Drive) -> None:
    drive.begin()
    drive.offer_all()
    answer(AGENTS // 2, drive.now)
    drive.look()
    assert drive.rollout is not None
    with watched(LIMIT) as watch:
        rollback = rollback_rollout(
            rollout_id=drive.rollout.pk, by=drive.by, reason="test", now=drive.now
        )
        for _ in range(3):
            drive.now += timedelta(seconds=1)
            waves.tick_one(rollback.pk, drive.now)
            answer(AGENTS // 2, drive.now)
    assert not watch.over, "\n".join(watch.over)


def test_what_gateways_write_and_read(drive: Drive) -> None:
    drive.begin()
    drive.offer_all()
    ids = list(Delivery.objects.filter(state="open").values_list("agent_id", flat=True))[:1000]
    said: dict[str, list[Any]] = {
        "agent_id": ids,
        "config_hash": [drive.hash] * len(ids),
        "sent_at": [drive.now] * len(ids),
        "acknowledged_at": [drive.now] * len(ids),
        "settled_at": [drive.now] * len(ids),
        "at": [drive.now] * len(ids),
        "state": ["applied"] * len(ids),
        "reason": ["refused"] * len(ids),
        "outcome": ["failed"] * len(ids),
    }
    watch = Watch(LIMIT)
    for write in (writes.DELIVERY, writes.REFUSAL, writes.LIFT):
        for sql, params in statements(write, said):
            watch.read(sql, explained(sql, params))
    watch.read("news", explained(writes.NEWS, [ids]))
    watch.read("desired", explained(take_over_sql.DESIRED_OF, [ids]))
    watch.read("desired since", explained(take_over_sql.DESIRED_SINCE, [1]))
    assert not watch.over, "\n".join(watch.over)


def statements(write: writes.Write, said: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """Yield both forms of a flush's statement, the temporary table filled."""
    table, names = re.findall(r"COPY (\w+) \((.+?)\)", write._copy)[0]
    nothing: list[Any] = [None] * len(said["agent_id"])
    columns = [said.get(name, nothing) for name in names.split(", ")]
    yield write._unnest, columns
    with connection.cursor() as cursor:
        cursor.execute(write._create)
        arrays = ", ".join(f"%s::{kind}[]" for kind in write._types)
        cursor.execute(f"INSERT INTO {table} SELECT * FROM unnest({arrays})", columns)  # noqa: S608
    yield write._from_table, None


def test_newcomers_and_a_rollback_by_selector(drive: Drive) -> None:
    drive.begin()
    drive.offer_all()
    answer(AGENTS, drive.now)
    rollout = drive.look()
    for _ in range(300):
        make_collector({"env": "prod"})
    with watched(LIMIT) as watch:
        assert count_joiners(rollout) == 300
        blockers_of(rollout)
        welcome(drive.now)
        rollback = rollback_selector(selector="*", by=drive.by, reason="test", now=drive.now)
        waves.tick_one(rollback.pk, drive.now)
    assert not watch.over, "\n".join(watch.over)
