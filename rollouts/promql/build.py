"""Building PromQL from parts (R43). Pure.

Values never reach a query unquoted: `quoted` for label values, `exactly` for use inside a regex.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from console.lib.texts import SaidError

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_REGEX_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$/-])")


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


def is_label(name: str) -> bool:
    """Tell whether a name can be a label's."""
    return _LABEL.match(name) is not None


def selector(names: Iterable[str], matchers: Mapping[str, str] | None = None) -> str:
    """Return a selector of metrics by name, with equal labels. Raises ValueError on a bad name."""
    found = list(names)
    for name in found:
        if not _METRIC.match(name):
            raise SaidError("promql.no_metric_name", read=repr(name))
    for label in matchers or {}:
        if not is_label(label):
            raise SaidError("promql.no_label_name", read=repr(label))
    parts = [f"__name__=~{quoted(any_of(found))}"]
    parts += [f"{label}={quoted(value)}" for label, value in (matchers or {}).items()]
    return "{" + ",".join(parts) + "}"


def first_of(
    function: str, names: Sequence[str], window_s: float | None, matching: str = ""
) -> str:
    """Return `function(a{...}[window]) or function(b{...}[window])`: of each series the first
    spelling that is there, so that a recording rule beside its original counts once.

    `matching` is what stands between the braces, as PromQL; None is no window.
    """
    window = "" if window_s is None else f"[{max(1, round(window_s))}s]"
    braces = f"{{{matching}}}" if matching else ""
    for name in names:
        if not _METRIC.match(name):
            raise SaidError("promql.no_metric_name", read=repr(name))
    return " or ".join(f"{function}({name}{braces}{window})" for name in names)


def by(operator: str, labels: Iterable[str], inside: str) -> str:
    """Return `operator by (labels) (inside)`."""
    return f"{operator} by ({', '.join(labels)}) ({inside})"
