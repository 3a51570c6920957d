from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from console.pages.agents import filters as agent_filters
from console.pages.agents.filters import read, read_place, write_place


def given(**params: str | list[str]) -> QueryDict:
    return QueryDict(urlencode(params, doseq=True))


def test_an_empty_field_means_every_agent() -> None:
    form = read(given())
    assert form.selector.is_everything
    assert form.is_empty


def test_the_star_is_shown_as_an_empty_field() -> None:
    assert read(given(q="*")).text == ""


def test_a_text_that_cannot_be_read_points_at_the_place() -> None:
    form = read(given(q="region in (eu-1"))
    assert form.error is not None
    assert form.error.caret.splitlines()[1].endswith("^")
    assert form.text == "region in (eu-1"


def test_a_ticked_box_becomes_a_term_of_the_text() -> None:
    form = read(given(q="role=edge", facets="1", shown=["env"], **{"label.env": "prod"}))
    assert form.text == "role=edge,env=prod"


def test_two_ticked_boxes_become_a_list() -> None:
    form = read(given(facets="1", shown=["env"], **{"label.env": ["prod", "dev"]}))
    assert form.text == "env in (prod,dev)"


def test_a_box_that_is_cleared_takes_its_term_away() -> None:
    form = read(given(q="env=prod,role=edge", facets="1", shown=["env"]))
    assert form.text == "role=edge"


def test_labels_that_were_not_shown_keep_their_terms() -> None:
    form = read(given(q="team=obs", facets="1", shown=["env"], **{"label.env": "prod"}))
    assert form.text == "team=obs,env=prod"


def test_boxes_leave_a_selector_joined_by_or_alone() -> None:
    form = read(given(q="env=prod or env=dev", facets="1", shown=["env"]))
    assert form.text == "env=prod or env=dev"


def test_terms_tick_their_boxes() -> None:
    assert read(given(q="env in (prod,dev)")).values_of("env") == {"prod", "dev"}


def test_a_facet_ignores_its_own_term() -> None:
    form = read(given(q="env=prod,role=edge")).without_label("env")
    assert form.text == "role=edge"


def test_the_url_is_the_state() -> None:
    form = read(given(q="env=prod", status=["unhealthy", "offline"], sort="name"))
    again = read(QueryDict(form.query))
    assert (again.text, again.statuses, again.sort) == (form.text, form.statuses, form.sort)


def test_unknown_statuses_and_orders_are_left_out() -> None:
    form = read(given(status="nonsense", sort="password"))
    assert form.statuses == ()
    assert form.sort == "status"


@pytest.mark.parametrize("text", ["", "!!", "e30", "x" * 3000, "bnVsbA"])
def test_a_place_that_was_not_ours_is_no_place(text: str) -> None:
    assert read_place(text) is None


def test_a_place_survives_the_url() -> None:
    assert read_place(write_place([3, "gw-eu1-0007", 42])) == (3, "gw-eu1-0007", 42)


def test_a_quoted_value_goes_round() -> None:
    selector = agent_filters.replace_label(read(given()).selector, "team", ("a, b",))
    form = read(given(q=agent_filters.text_of(selector)))
    assert form.values_of("team") == {"a, b"}
