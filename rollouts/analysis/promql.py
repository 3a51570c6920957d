"""Building PromQL from parts, and reading which metrics a condition speaks of (R43). Pure.

Values never reach a query unquoted: `quoted` for label values, `exactly` for use inside a regex.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

INSTANCE = "service_instance_id"
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_REGEX_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$/-])")
_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<duration>\[[^\]]*\])|(?P<number>0x[0-9a-fA-F]+|\d[\d.]*(?:[eE][+-]?\d+)?[a-zA-Z]*)"""
    r"""|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:.]*)|(?P<sign>[{}()]|[^\s])"""
)
_WORDS = frozenset(
    {
        *("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"),
        *("group_left", "group_right", "inf", "nan", "start", "end"),
    }
)
_LABEL_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})


def quoted(value: str) -> str:
    """Return a label value as a PromQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def exactly(value: str) -> str:
    """Return a regex (RE2) that matches the value and nothing else; still to be quoted."""
    return _REGEX_SPECIAL.sub(r"\\\1", value)


def any_of(values: Iterable[str]) -> str:
    """Return a regex that matches any of the values."""
    return "|".join(exactly(value) for value in values)


def selector(names: Iterable[str], labels: Mapping[str, str] | None = None) -> str:
    """Return a selector of metrics by name, with equal labels. Raises ValueError on a bad name."""
    found = list(names)
    for name in found:
        if not _METRIC.match(name):
            raise ValueError(f"{name!r} is not a metric name")
    for label in labels or {}:
        if not _LABEL.match(label):
            raise ValueError(f"{label!r} is not a label name")
    parts = [f"__name__=~{quoted(any_of(found))}"]
    parts += [f"{label}={quoted(value)}" for label, value in (labels or {}).items()]
    return "{" + ",".join(parts) + "}"


def both_spellings(*names: str) -> list[str]:
    """Return names with and without the `_total` that Prometheus adds to counters."""
    return [name + suffix for name in names for suffix in ("", "_total")]


def per_instance(function: str, series: str, window_s: float, *more: str) -> str:
    """Return `sum by (service_instance_id) (function(series[window]))`."""
    labels = ", ".join([INSTANCE, *more])
    return f"sum by ({labels}) ({function}({series}[{max(1, round(window_s))}s]))"


def uses_bool(promql: str) -> bool:
    """Tell whether a comparison answers 0 or 1 (`> bool 5`), and so gives something for no as well."""
    return any(token.group().lower() == "bool" for token in _TOKEN.finditer(promql))


def metric_names(promql: str) -> list[str]:
    """Return the metrics that an expression names, in order.

    A reading of the words, not a parser: function names (followed by a parenthesis), label names
    and keywords are left out.
    """
    found: dict[str, None] = {}
    braces, list_depth, depth, awaits_list = 0, 0, 0, False
    tokens = [match for match in _TOKEN.finditer(promql) if match.lastgroup != "comment"]
    for position, token in enumerate(tokens):
        text = token.group()
        if text == "{":
            braces += 1
        elif text == "}":
            braces -= 1
        elif text == "(":
            depth += 1
            if awaits_list:
                list_depth, awaits_list = depth, False
        elif text == ")":
            if depth == list_depth:
                list_depth = 0
            depth -= 1
        elif token.lastgroup == "name" and not braces and not list_depth:
            following = tokens[position + 1].group() if position + 1 < len(tokens) else ""
            if text.lower() in _WORDS:
                awaits_list = text.lower() in _LABEL_LISTS and following == "("
            elif following != "(" and not _is_aggregation(tokens, position):
                found[text] = None
    return [name for name in found if _METRIC.match(name)]


def _is_aggregation(tokens: list[re.Match[str]], position: int) -> bool:
    """Whether a name is an operator as in `sum by (...)`."""
    following = tokens[position + 1].group().lower() if position + 1 < len(tokens) else ""
    return following in ("by", "without")
