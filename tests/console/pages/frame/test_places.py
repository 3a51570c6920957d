"""Errors of a text: each once, with its line where it has one."""

from __future__ import annotations

import pytest

from console.lib.problems import FieldError, Invalid
from console.pages.frame.places import WrongPlace, wrong_places
from rollouts.plans.parse import parse_plan


def test_nothing_is_wrong_without_a_problem() -> None:
    assert wrong_places(None) == []


def test_each_place_is_listed_once_with_its_line() -> None:
    errors = [
        FieldError("x.yaml:2", "duration is missing"),
        FieldError("x.yaml:2", "duration is missing"),
        FieldError("x.yaml:14", "no such metric"),
        FieldError("name", "say a name"),
        FieldError("x.yaml", "two documents"),
    ]
    assert wrong_places(Invalid("It is wrong.", errors=errors)) == [
        WrongPlace(2, "duration is missing"),
        WrongPlace(14, "no such metric"),
        WrongPlace(0, "say a name"),
        WrongPlace(0, "two documents"),
    ]


def test_lines_of_a_plan_are_found() -> None:
    with pytest.raises(Invalid) as found:
        parse_plan("name: x\nphases:\n  - name: a\n    weight: 10\n    duration: 5\n")
    assert [place.line for place in wrong_places(found.value)] == [4, 5]
