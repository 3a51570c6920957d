from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.promql.kept import Kept
from rollouts.promql.names import spellings
from rollouts.promql.read import BadPromql, condition, query, read
from rollouts.promql.rewrite import Rewriting, rewritten

CPU = (
    "(rate(process_cpu_seconds_total[5m]) - "
    "avg_over_time(rate(process_cpu_seconds_total[5m])[7d:5m])) > 0.1"
)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("rate(otelcol_exporter_sent_spans[5m]) > 0.001", ["otelcol_exporter_sent_spans"]),
        ('sum by (job, le) (rate(a_bucket{le="5"}[1m])) / ignoring(le) b', ["a_bucket", "b"]),
        ("avg(a) without (x) and on(instance) c > bool 1e3", ["a", "c"]),
        ("histogram_quantile(0.95, sum(rate(x:y[5m])) by (le))", ["x:y"]),
        ('{__name__="a"} > 1', ["a"]),
        ("a # b\n + c", ["a", "c"]),
        ("vector(1)", []),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, names: list[str]) -> None:
    assert list(read(expression).metrics) == names


@pytest.mark.parametrize(
    ("expression", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        ("rate(a[5m]", 1, 5, "never closed"),
        ("x > 5)", 1, 6, "closes nothing"),
        ("a b", 1, 3, "b is not expected"),
        ("rate(a[5m])\n > > 1", 2, 4, "not expected"),
        ("rate(x[5m]) > 0,001", 1, 16, ", is not expected"),
        ("x > 10 MB", 1, 8, "MB is not expected"),
        ("sum by x (a) > 1", 1, 5, "not expected"),
        ("a +", 1, 4, "ends too early"),
        ("1 + foo(a)", 1, 5, "unknown function with name 'foo'"),
        ("a and\nrate(b) > 1", 2, 1, "expected type matrix"),
        ("5", 1, 1, "always be true"),
        ("a[5m]", 1, 1, "gives a range"),
        ("x" * 10_001, 1, 1, "longer than"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    expression: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(BadPromql) as bad:
        condition(expression)
    assert (bad.value.line, bad.value.column) == (line, column)
    assert words in str(bad.value)


def test_a_query_may_be_a_number_where_a_condition_may_not() -> None:
    assert query("scalar(sum(x))").kind == "number"
    with pytest.raises(BadPromql):
        condition("scalar(sum(x))")


@given(st.text(alphabet='ab1()[]{}"`=~!<>+-*/,:.@# \n5m'))
def test_reading_anything_is_an_answer_or_a_place(text: str) -> None:
    with contextlib.suppress(BadPromql):
        read(text)


@pytest.mark.parametrize(
    ("expression", "kept", "gone"),
    [
        ("rate(a[5m]) > 1", "instance", ""),
        ("sum(a) > 1", "", "instance"),
        ("sum by (instance) (a) > 1", "instance", "host_name"),
        ("sum without (instance) (a) > 1", "host_name", "instance"),
        ("absent(up)", "", "instance"),
        ("topk(3, a)", "instance", ""),
        ("a / on (host_name) b", "host_name", "instance"),
        ("a / on (host_name) group_left (pod) b", "instance", ""),
        ("sum(a) > 0 and b", "", "instance"),
        ("sum(a) or b", "instance", ""),
        ("2 * sum(a)", "", "instance"),
        ('label_replace(vector(1), "pod", "x", "", "")', "pod", "instance"),
        ('count_values("pod", a)', "pod", "instance"),
    ],
)
def test_the_tree_says_which_labels_are_left(expression: str, kept: str, gone: str) -> None:
    found = read(expression).kept
    assert not kept or kept in found
    assert not gone or gone not in found


def test_kept_labels_can_be_joined() -> None:
    assert "a" in (Kept(frozenset("a")) | Kept(frozenset("b")))
    assert Kept().less("a").of({"a": "1", "b": "2"}) == {"b": "2"}


@pytest.mark.parametrize(
    ("expression", "seconds", "is_past"),
    [
        ("rate(a[5m]) > 1", 300, False),
        ("a > 1", 0, False),
        (CPU, 300, False),
        ("rate(a[5m]) > 1.2 * rate(a[10m] offset 1h)", 300, False),
        ("rate(a[5m]) / rate(b[10m]) > 1", 600, False),
        ("rate(a[5m] offset 5m) > 1", 600, True),
        ("max_over_time(rate(a[1m])[10m:1m]) > 5", 660, True),
        ("a @ end() > 1", 0, True),
    ],
)
def test_a_comparison_with_the_past_does_not_reach_back(
    expression: str, seconds: float, is_past: bool
) -> None:
    found = read(expression).reach
    assert (found.seconds, found.is_past) == (seconds, is_past)


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("rate(a[5m]) > 1", "(rate(a[60s]) or rate(a_total[60s])) > 1"),
        (
            'sum by (x) (rate(a{b="[5m]"}[5m] offset -1m)) > bool 2',
            'sum by (x) ((rate(a{b="[5m]"}[60s] offset -1m) or rate(a_total{b="[5m]"}[60s] '
            "offset -1m))) > bool 2",
        ),
        (
            "(rate(a[5m]) - avg_over_time(rate(a[5m])[7d:5m])) > 0.1",
            "((rate(a[60s]) or rate(a_total[60s])) - "
            "avg_over_time((rate(a[5m]) or rate(a_total[5m]))[1w:5m])) > 0.1",
        ),
        ("timestamp(a) < 5", "(timestamp(a) or timestamp(a_total)) < 5"),
        (
            "absent_over_time(a[5m])",
            "(absent_over_time(a[60s]) and absent_over_time(a_total[60s]))",
        ),
        (
            r'label_replace(a, "x", "$1", "y", "(\".*)")',
            r'label_replace((a or a_total), "x", "$1", "y", "(\".*)")',
        ),
        ("topk(3, -a ^ 2)", "topk(3, -(a or a_total) ^ 2)"),
        (
            "a > on (x) group_left (y) b",
            "(a or a_total) > on (x) group_left (y) b",
        ),
    ],
)
def test_an_expression_is_written_again(expression: str, written: str) -> None:
    found = read(expression)
    names = {name: [name, f"{name}_total"] if name == "a" else [name] for name in found.metrics}
    assert rewritten(found, Rewriting(names, 60)) == written
    assert read(written).kind == "vector"


def test_what_needs_no_change_stays_as_it_was_written() -> None:
    found = read("a   >  1")
    assert rewritten(found, Rewriting({"a": ["a"]}, 0)) == "a   >  1"


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("otelcol_exporter_send_failed_spans", {"otelcol_exporter_send_failed_spans_total"}),
        ("process_cpu_seconds_total", {"otelcol_process_cpu_seconds", "process_cpu_seconds"}),
        ("otelcol_process_cpu_seconds", {"process_cpu_seconds_total"}),
        ("process_resident_memory_bytes", {"otelcol_process_memory_rss"}),
        ("otelcol_process_memory_rss_bytes", {"process_resident_memory_bytes"}),
        ("log_messages", {"log_messages_total", "otelcol_log_records_total"}),
    ],
)
def test_the_other_names_of_a_metric_are_known(name: str, others: set[str]) -> None:
    assert spellings(name)[0] == name
    assert others <= set(spellings(name))
