"""SQL in the code names tables and columns that models have: renaming one is found here, at once.

Read from the text: every string that names a table after FROM, JOIN, UPDATE or INTO, with its alias;
then each `alias.column` of that string, and what INSERT and SET list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "agents", "console", "rollouts")
_TABLE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?((?:accounts|agents|rollouts)_\w+)\b"
    r"(?:\s+(?:AS\s+)?(?!SET\b|WHERE\b|ON\b|JOIN\b|LEFT\b|CROSS\b|SELECT\b|FOR\b|ORDER\b)(\w+))?"
)
_INSERT = re.compile(
    r"\bINSERT INTO ((?:accounts|agents|rollouts)_\w+)(?: AS \w+)?\s*\(([\w\s,]+)\)"
)
_DOTTED = re.compile(r"(?<![\w.%'])([a-z]\w*)\.([a-z_]\w*)(?!\w*\()")
SYSTEM = {"ctid", "xmin"}
# Sequences; they stand in no model.
NO_MODEL = {"agents_change_seq"}


def columns() -> dict[str, set[str]]:
    """Return table to the columns that its model has."""
    return {
        model._meta.db_table: {f.column for f in model._meta.concrete_fields if f.column} | SYSTEM
        for model in apps.get_models()
    }


def statements(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a file that could be SQL; what an f-string puts in is left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else " ? " for v in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _TABLE.search(text):
            yield node.lineno, text


def unknown(text: str, known: dict[str, set[str]]) -> list[str]:
    """Return what a statement names and no model has."""
    wrong = []
    aliases: dict[str, set[str]] = {}
    for table, alias in _TABLE.findall(text):
        if table not in known:
            wrong.append(table)
            continue
        for name in (table, alias):
            if name:
                aliases.setdefault(name, set()).update(known[table])
    for table, listed in _INSERT.findall(text):
        names = {name.strip() for name in listed.split(",")}
        wrong += [f"{table}.{name}" for name in names - known.get(table, set())]
    made = set(re.findall(r"\)\s+(?:AS\s+)?(\w+)\b", text)) | set(
        re.findall(r"(\w+)\s+AS\s+(?:NOT MATERIALIZED\s+)?\(", text)
    )
    for alias, column in _DOTTED.findall(text):
        if alias in aliases and alias not in made and column not in aliases[alias]:
            wrong.append(f"{alias}.{column}")
    return wrong


def choices() -> dict[str, dict[str, set[str]]]:
    """Return table to column to the words that its field knows."""
    return {
        model._meta.db_table: {
            str(f.column): {str(value) for value, _ in f.flatchoices if value not in ("", None)}
            for f in model._meta.concrete_fields
            if f.choices
        }
        for model in apps.get_models()
    }


# A bit of capabilities, or a number of the protocol, as itself.
_NUMBER = re.compile(
    r"\b(?:config_status|settings_status|capabilities)\)?\s*(?:=|<>|&|IN)\s*\(?\s*\d+"
)


def words_of_ours(text: str, known: dict[str, dict[str, set[str]]]) -> list[str]:
    """Return what a statement says by itself though an enum of ours has a name for it."""
    tables = {table for table, _ in _TABLE.findall(text)}
    words = {w for table in tables for of in known.get(table, {}).values() for w in of}
    return [*(w for w in re.findall(r"'(\w+)'", text) if w in words), *_NUMBER.findall(text)]


FILES = [
    path
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts and any(statements(path))
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_names_columns_that_exist(path: Path) -> None:
    known = columns()
    wrong = {line: names for line, text in statements(path) if (names := unknown(text, known))}
    assert not wrong, f"{path.relative_to(ROOT)} names {wrong}"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("SELECT t.state FROM rollouts_target t", []),
        ("SELECT t.stale FROM rollouts_target t", ["t.stale"]),
        ("SELECT 1 FROM rollouts_targets", ["rollouts_targets"]),
        ("UPDATE agents_delivery d SET state = 'x' FROM old WHERE d.idd = old.id", ["d.idd"]),
        ("INSERT INTO agents_news (topic, agent) SELECT 1", ["agents_news.agent"]),
        ("SELECT x.n FROM (SELECT 1 FROM agents_agent a) x", []),
    ],
)
def test_the_look_sees_wrong_names(text: str, wrong: list[str]) -> None:
    assert unknown(text, columns()) == wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_is_given_our_words_as_parameters(path: Path) -> None:
    known = choices()
    said = {line: words for line, text in statements(path) if (words := words_of_ours(text, known))}
    assert not said, f"{path.relative_to(ROOT)} spells {said}; an enum names them"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1 FROM rollouts_target t WHERE t.state = %(waiting)s", []),
        ("SELECT 1 FROM rollouts_target t WHERE t.state = 'waiting'", ["waiting"]),
        ("SELECT 1 FROM rollouts_target t WHERE t.error = 'waits'", []),
        ("SELECT 1 FROM agents_agentstatus s WHERE s.config_status = 3", ["config_status = 3"]),
        ("SELECT 1 FROM agents_agent a WHERE (a.capabilities & 2) = 0", ["capabilities & 2"]),
    ],
)
def test_the_look_sees_words_of_ours(text: str, words: list[str]) -> None:
    assert words_of_ours(text, choices()) == words


def test_rollouts_and_agents_are_looked_at() -> None:
    looked_at = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert {"agents", "rollouts"} <= looked_at
