from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.promql import build


@given(st.text())
def test_a_quoted_value_stays_inside_its_quotes(text: str) -> None:
    inside = build.quoted(text)[1:-1]
    assert not re.search(r'(?<!\\)(?:\\\\)*"', inside)
    assert "\n" not in inside


@given(st.text(st.characters(codec="ascii")))
def test_an_exact_regex_matches_its_value_only(text: str) -> None:
    pattern = re.compile(build.exactly(text))
    assert pattern.fullmatch(text)
    assert not pattern.fullmatch(text + "x")


def test_a_selector_quotes_names_and_labels() -> None:
    built = build.selector(["a", "b:c"], {"level": 'x"y'})
    assert built == '{__name__=~"a|b:c",level="x\\"y"}'


@pytest.mark.parametrize("name", ["", "a b", 'a"}', "1a", "a\n"])
def test_what_is_no_metric_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a metric name"):
        build.selector([name])
    with pytest.raises(ValueError, match="not a metric name"):
        build.first_of("rate", [name], 60)


def test_windows_are_whole_seconds_and_spellings_alternatives() -> None:
    built = build.by("sum", ["a", "b"], build.first_of("rate", ["x", "x_total"], 299.6))
    assert built == "sum by (a, b) (rate(x[300s]) or rate(x_total[300s]))"
