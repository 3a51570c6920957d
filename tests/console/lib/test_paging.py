"""Places in lists whose order has several fields, in both directions."""

from __future__ import annotations

import pytest

from agents.models import Agent
from console.lib.paging import count_up_to, part_of, place_of, walk
from tests.make.agents import make_collector

pytestmark = pytest.mark.django_db

ORDER = ["version", "-name", "pk"]


@pytest.fixture
def agents() -> list[Agent]:
    for version, name in [("2", "a"), ("1", "b"), ("1", "a"), ("2", "b"), ("1", "b")]:
        make_collector(version=version, name=name)
    return list(Agent.objects.order_by(*ORDER))


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_the_parts_of_a_list_are_the_list(agents: list[Agent], limit: int) -> None:
    read: list[Agent] = []
    place = None
    while True:
        part = part_of(Agent.objects.all(), ORDER, limit, after=place)
        assert part.has_before is bool(read)
        read += part.rows
        if not part.has_after:
            break
        place = place_of(part.rows[-1], ORDER)
    assert read == agents


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_and_so_they_are_from_the_end(agents: list[Agent], limit: int) -> None:
    read: list[Agent] = []
    place: list[object] = ["9", "", 0]
    while True:
        part = part_of(Agent.objects.all(), ORDER, limit, before=place)
        assert part.has_after
        read = part.rows + read
        if not part.has_before:
            break
        place = place_of(part.rows[0], ORDER)
    assert read == agents


def test_a_place_of_another_order_is_none(agents: list[Agent]) -> None:
    part = part_of(Agent.objects.all(), ORDER, 2, after=["1"])
    assert (part.rows, part.has_before, part.has_after) == (agents[:2], False, True)


def test_nothing_is_counted_beyond_the_limit(agents: list[Agent]) -> None:
    assert count_up_to(Agent.objects.all(), 3) == 4
    assert count_up_to(Agent.objects.all()) == 5


@pytest.mark.parametrize("chunk", [1, 2, 5, 9])
@pytest.mark.parametrize("limit", [0, 1, 3, 5, 9])
def test_a_walk_reads_the_list_chunk_by_chunk(agents: list[Agent], limit: int, chunk: int) -> None:
    assert list(walk(Agent.objects.all(), ORDER, limit, chunk=chunk)) == agents[:limit]
    second = place_of(agents[1], ORDER)
    values = walk(Agent.objects.values("version", "name", "pk"), ORDER, limit, after=second)
    assert [row["pk"] for row in values] == [agent.pk for agent in agents[2:][:limit]]
