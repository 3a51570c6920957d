from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.analysis import promql


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (
            "rate(otelcol_exporter_send_failed_spans[5m]) > 0.001",
            ["otelcol_exporter_send_failed_spans"],
        ),
        ("up == 0", ["up"]),
        (
            'sum by (job, le) (rate(a_bucket{le="5", x=~"b|c"}[1m])) / ignoring(le) b',
            ["a_bucket", "b"],
        ),
        ("avg(a) without (x) and on(instance) c > bool 1e3", ["a", "c"]),
        ("histogram_quantile(0.95, sum(rate(x:y[5m])) by (le)) offset 1h", ["x:y"]),
        ('{__name__="a"}', []),
        ("a # b\n + c", ["a", "c"]),
        ("label_replace(a, 'x', '$1', 'y', '(.*)')", ["a"]),
        ("", []),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, names: list[str]) -> None:
    assert promql.metric_names(expression) == names


@given(st.text())
def test_reading_an_expression_never_fails(text: str) -> None:
    promql.metric_names(text)


@given(st.text())
def test_a_quoted_value_stays_inside_its_quotes(text: str) -> None:
    inside = promql.quoted(text)[1:-1]
    assert not re.search(r'(?<!\\)(?:\\\\)*"', inside)
    assert "\n" not in inside


@given(st.text(st.characters(codec="ascii")))
def test_an_exact_regex_matches_its_value_only(text: str) -> None:
    pattern = re.compile(promql.exactly(text))
    assert pattern.fullmatch(text)
    assert not pattern.fullmatch(text + "x")


def test_a_selector_quotes_names_and_labels() -> None:
    built = promql.selector(["a", "b:c"], {"level": 'x"y'})
    assert built == '{__name__=~"a|b:c",level="x\\"y"}'


@pytest.mark.parametrize("name", ["", "a b", 'a"}', "1a", "a\n"])
def test_what_is_no_metric_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a metric name"):
        promql.selector([name])


def test_windows_are_whole_seconds() -> None:
    built = promql.per_instance("rate", promql.selector(["a"]), 299.6)
    assert built == 'sum by (service_instance_id) (rate({__name__=~"a"}[300s]))'
