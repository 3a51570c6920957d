from __future__ import annotations

import pytest
from django.http import QueryDict

from agents.models import Agent
from console.lib.paging import Numbers
from console.pages.frame import keyset
from tests.make.agents import make_collector

pytestmark = pytest.mark.django_db


def read(query: str) -> keyset.Page[Agent]:
    return keyset.in_line(Agent.objects.all(), QueryDict(query), per_page=2)


def test_a_list_in_line_reads_forward_and_back() -> None:
    pks = [make_collector().pk for _ in range(5)]
    first = read("")
    second = read(f"after={first.older}")
    last = read(f"after={second.older}")
    assert [a.pk for page in (first, second, last) for a in page.rows] == pks
    assert (first.newer, last.older) == ("", "")
    back = read(f"before={last.newer}")
    assert [a.pk for a in back.rows] == pks[2:4]
    assert (back.newer, back.older) == (str(pks[2]), str(pks[3]))
    assert read(f"before={back.newer}").newer == ""


def test_a_page_knows_which_rows_of_how_many_it_shows() -> None:
    for _ in range(5):
        make_collector()
    first = read("")
    second = read(f"after={first.older}")
    last = read(f"after={second.older}")
    assert [page.numbers for page in (first, second, last)] == [
        Numbers(1, 2, 5),
        Numbers(3, 4, 5),
        Numbers(5, 5, 5),
    ]
    assert read(f"before={last.newer}").numbers == Numbers(3, 4, 5)
    assert keyset.newest_first(Agent.objects.all(), QueryDict("")).numbers is None


def test_an_empty_list_has_no_neighbours() -> None:
    assert read("before=1") == keyset.Page([], "", "", True, Numbers(1, 0, 0))
