"""The states of deliveries: the table, and that each statement keeps to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.query import QuerySet

from agents import deliveries
from agents.actions.clear_desired import clear_desired
from agents.deliveries import DELIVERY_TABLE
from agents.gateway.writing import statements
from agents.models import Delivery, Desired
from agents.opamp.state import Word
from tests.make.agents import make_agent_with
from tests.make.times import NOW

LATER = NOW + timedelta(minutes=5)
B, C = "b" * 64, "c" * 64
SETTLED = [state for state in Delivery.State if state is not Delivery.State.OPEN]


def deliver(config_hash: str, state: str = Delivery.State.OPEN) -> Delivery:
    return Delivery.objects.create(
        agent=make_agent_with(), config_hash=config_hash, cause="x", state=state, offered_at=NOW
    )


def states(*rows: Delivery) -> list[str]:
    found: QuerySet[Delivery] = Delivery.objects.filter(pk__in=[row.pk for row in rows])
    return [row.state for row in found.order_by("pk")]


def test_every_step_leads_from_open_to_an_end() -> None:
    assert {source for _, source in DELIVERY_TABLE} == {Delivery.State.OPEN}
    assert sorted(DELIVERY_TABLE.values()) == sorted(SETTLED)


def test_the_words_of_agents_are_steps_of_the_table() -> None:
    heard = {DELIVERY_TABLE[act, Delivery.State.OPEN] for act in ("confirm", "refuse")}
    assert heard == {word.value for word in Word}


def test_gateways_write_by_the_statement_of_this_module() -> None:
    assert deliveries.HEARD.partition("{v}")[2] in statements.DELIVERY._unnest


@pytest.mark.django_db
@pytest.mark.parametrize("state", SETTLED)
def test_what_is_settled_stays_as_it_is(state: str) -> None:
    row = deliver(B, state)
    assert deliveries.supersede([row.agent_id], LATER) == []
    assert deliveries.time_out([row.agent_id], B, LATER) == []
    assert states(row) == [state]


@pytest.mark.django_db
def test_only_the_named_hash_is_given_up() -> None:
    one, other = deliver(B), deliver(C)
    agents = [one.agent_id, other.agent_id]
    assert deliveries.supersede(agents, LATER, B) == [one.agent_id]
    assert states(one, other) == ["superseded", "open"]
    one.refresh_from_db()
    assert one.settled_at == LATER


@pytest.mark.django_db
def test_an_agent_that_is_wanted_nothing_of_keeps_no_open_delivery() -> None:
    row = deliver(B)
    Desired.objects.create(agent=row.agent, config_hash=B, change=1, at=NOW)
    assert clear_desired([row.agent_id], B) == 1
    assert states(row) == ["superseded"]
