"""A value in a selector is the text that stands in the file, whatever YAML takes it for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.selectors.grammar import parse
from agents.selectors.tree import Exact, Label
from console.lib.problems import Invalid
from rollouts.documents import File, read_files
from rollouts.plans.parse import parse_plan

NUMBERS = st.one_of(
    st.from_regex(r"[-+]?[0-9]{1,12}", fullmatch=True),
    st.from_regex(r"[-+]?[0-9]{0,4}\.[0-9]{1,6}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}(\.[0-9])?[eE][-+]?[0-9]{1,2}", fullmatch=True),
    st.from_regex(r"0o[0-7]{1,6}|0x[0-9a-fA-F]{1,6}", fullmatch=True),
    st.sampled_from(["True", "TRUE", "true", "False", "FALSE", "false", "yes", "on", "1_000"]),
    st.sampled_from(["null", "~", "2026-01-01", "12:30", ".inf", "-.INF", ".nan", "08", "0"]),
)


def values_in(selector: str) -> list[str]:
    (term,) = parse(selector).terms
    assert isinstance(term, Label)
    return [value.text for value in term.values if isinstance(value, Exact)]


@given(NUMBERS)
@pytest.mark.parametrize("shape", ["{}", "[{}, other]", "{{in: [{}, other]}}"])
def test_a_label_keeps_its_spelling_or_is_refused(shape: str, written: str) -> None:
    value = shape.format(written)
    plan = (
        f"name: p\nphases: [{{weight: 100%, duration: 1m, selector: {{labels: {{x: {value}}}}}}}]"
    )
    file = f"selectors: [{{name: s, labels: {{x: {value}}}}}]"
    nested = f"selectors: [{{name: s, selector: {{labels: {{x: {value}}}}}}}]"
    for read_it in (
        lambda: parse_plan(plan).phases[0].selector or "",
        lambda: read_files([File("s.yaml", file.encode(), "s")])[0].body.decode(),
        lambda: read_files([File("s.yaml", nested.encode(), "s")])[0].body.decode(),
    ):
        try:
            selector = read_it()
        except Invalid:
            assert written in ("null", "~")
            continue
        assert values_in(selector)[0] == written


def test_everything_is_still_everything() -> None:
    plan = "name: p\nphases: [{weight: 100%, duration: 1m, selector: {all: true}}]"
    assert parse_plan(plan).phases[0].selector == "*"
