from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.yaml import YamlLimits, load, load_all
from console.lib.yaml_scalars import YamlError, YamlLimit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2001-01-01", "2001-01-01"),
        ("1_000", "1_000"),
        ("0o7", 7),
        ("010", 10),
        ("0x1F", 31),
        ("-12", -12),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("True", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("0.1%", "0.1%"),
        ("v1.4.0", "v1.4.0"),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    found = load(f"key: {text}").data
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_keys_are_always_text() -> None:
    assert load("200: ok\ntrue: x\n").data == {"200": "ok", "true": "x"}


def test_merge_keys_fill_in_what_is_missing() -> None:
    document = load("base: &b {x: 1, y: 2}\nown:\n  y: 3\n  <<: *b\n")
    assert document.data == {"base": {"x": 1, "y": 2}, "own": {"x": 1, "y": 3}}


def test_positions_of_keys_and_values_are_kept() -> None:
    document = load("phases:\n  - name: canary\n    weight: 10\n")
    mark = document.mark("phases", 0, "weight")
    assert (mark.line, mark.column) == (3, 13)
    assert document.key_mark("phases", 0, "weight").column == 5


def test_the_position_of_what_is_missing_is_that_of_its_parent() -> None:
    document = load("phases:\n  - name: canary\n")
    assert document.mark("phases", 0, "weight").line == 2


def test_documents_keep_their_own_lines() -> None:
    first, second = load_all("a: 1\n---\nb: 2\n")
    assert (first.data, second.data) == ({"a": 1}, {"b": 2})
    assert second.mark("b").line == 3


def test_an_empty_text_is_no_document() -> None:
    assert load_all("# only a comment\n") == []
    assert load(b"").data is None


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: {c: 1, c: 2}", 2, 'key "c" is given twice; it is first on line 2'),
        ("a:\n\tb: 1", 2, "a tab cannot indent YAML"),
        ("a: [1\nb: 2", 2, "did not find expected"),
        ("a: 1\n---\nb: 2", 2, "only one is expected"),
        ("a: !!python/object/apply:os.system [x]", 1, "tag !!python/object"),
        ("a: !secret x", 1, "tag !secret is not read"),
        ("a: !!int x", 1, '"x" is not a value of !!int'),
        ("? [a]\n: b", 1, "a key must be plain text"),
        ("a: 1\nb: \x00", 2, "NUL"),
        ("a: 1\nb: \x01", 2, "control character"),
        ("a: \ud800", 0, "surrogate"),
        (b"a: 1\nb: \xff", 2, "not UTF-8"),
        ("a: 1".encode("utf-16"), 1, "not UTF-8"),
        ("a: &a [*a]", 1, "no finished anchor"),
        ("a: *b", 1, "no finished anchor &b"),
        ("<<: 3", 1, "<< takes a mapping"),
        ("a: " + "9" * 5000, 1, "too long"),
    ],
)
def test_wrong_text_is_refused_with_its_line(text: str | bytes, line: int, words: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert words in caught.value.message
    assert caught.value.line == line
    assert str(caught.value.at("f.yaml")).startswith("f.yaml:" if line == 0 else f"f.yaml:{line}: ")


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[" * 65 + "]" * 65,
        "{a: " * 200_000,
        "- " * 200_000,
        "\n".join(" " * n + "a:" for n in range(500)),
        laughs(20),
        "a: &a x\nb: [" + "*a, " * 201 + "]",
        "[" + "a," * 350_000 + "]",
        "---\n" * 250_000,
        "x" * (4 * 1024 * 1024 + 1),
    ],
    ids=["flow", "just", "map", "dashes", "block", "laughs", "aliases", "wide", "many", "large"],
)
def test_bombs_are_refused_before_anything_is_built(text: str) -> None:
    with pytest.raises(YamlLimit):
        load_all(text)


def test_what_is_within_the_limits_is_read() -> None:
    assert len(load_all("[" * 64 + "]" * 64)) == 1
    assert len(load("[" + "a, " * 199_998 + "]").data) == 199_998  # type: ignore[arg-type]


def test_limits_can_be_narrowed() -> None:
    with pytest.raises(YamlLimit, match="at most 10 are read"):
        load("a: 12345678", limits=YamlLimits(size_bytes=10))


def test_nothing_else_reads_yaml() -> None:
    root = Path(__file__).parents[3]
    folders = ("accounts", "agents", "certs", "console", "rollouts")
    sources = [path for folder in folders for path in (root / folder).rglob("*.py")]
    users = {p for p in sources if re.search(r"^(import|from) yaml\b", p.read_text(), re.M)}
    # The simulated collectors are a program of their own and read only what passed here before.
    ours = {p for p in users if root / "agents" / "simulator" not in p.parents}
    assert ours == {root / "console/lib/yaml.py", root / "console/lib/yaml_scalars.py"}


def read_or_refuse(text: str | bytes) -> str:
    try:
        return f"{len(load_all(text))} documents"
    except YamlError as error:
        return str(error.at("f.yaml"))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_any_input_is_read_or_refused(text: str | bytes) -> None:
    assert read_or_refuse(text)


@given(st.text("{}[]:,-&*!|>'\"?#%@ \nab<01.~", max_size=80))
def test_any_yaml_like_text_is_read_or_refused(text: str) -> None:
    assert read_or_refuse(text)


WRITTEN = ["0042", "+5", "0o17", "0x1F", "1e3", "1.10", "True", "FALSE", ".5", "-0", ".inf", "42"]


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize(
    "around",
    [
        "x: {{a: {0}}}",
        "x: [{0}]",
        "b: &v {0}\nx: [*v]",
        "b: &m {{a: {0}}}\nx: *m",
        "b: &m {{a: {0}}}\nx: {{<<: *m}}",
        "b: &m {{a: {0}}}\nx: {{<<: [*m]}}",
        "x: {{a: !!str {0}}}",
    ],
)
def test_a_scalar_keeps_its_spelling_where_text_is_meant(text: str, around: str) -> None:
    document = load(around.format(text))
    written: Any = document.written(document.data)
    inner = written["x"]
    (value,) = inner.values() if isinstance(inner, dict) else inner
    assert str(value) == text


def test_own_keys_keep_theirs_over_merged_ones() -> None:
    document = load("b: &m {a: 0042, c: 007}\nx: {<<: *m, a: 0043}\n")
    written: Any = document.written(document.data)
    assert written["x"] == {"a": "0043", "c": "007"}
