"""Every text the domain makes has its sentence, with the parameters that it asks for."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lib.texts import registered
from console.words.tables import TABLES

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for app in ("accounts", "agents", "rollouts", "certs", "console")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
]


def makers(tree: ast.Module) -> set[str]:
    """The names under which a module has imported `text` and `Text`; errors (`raise Refused("...")`)
    are known by their first argument."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "console.lib.texts"
        for alias in node.names
        if alias.name in ("text", "Text")
    }


def errors() -> set[str]:
    """The classes of errors that are raised with a code, by their names."""
    found = {"Problem", "SaidError"}
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def made() -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield (place, code, names of parameters; None where they cannot be read off)."""
    raised = errors()
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        own = makers(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            first = node.args[0]
            if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            is_code = name in raised and " " not in first.value
            if name in own or is_code or first.value in registered():
                names = {keyword.arg for keyword in node.keywords}
                known = None if None in names or name == "Text" else {n for n in names if n}
                yield f"{path.relative_to(ROOT)}:{node.lineno}", first.value, known


MADE = list(made())


def test_every_text_has_a_sentence() -> None:
    unknown = [f"{place} {code}" for place, code, _ in MADE if code not in registered()]
    assert unknown == []


def test_every_sentence_is_said_somewhere() -> None:
    literals = {
        node.value
        for path in SOURCES
        if "words" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(registered().keys() - literals) == []


@pytest.mark.parametrize("code", sorted(registered()))
def test_a_sentence_asks_only_for_what_it_is_given(code: str) -> None:
    sentence = registered()[code]
    if callable(sentence):
        return
    asked = {name for _, name, _, _ in string.Formatter().parse(str(sentence)) if name}
    for place, made_code, names in MADE:
        if made_code == code and names is not None:
            assert asked <= names, f"{place} gives {code} no {asked - names}"


def test_all_tables_are_registered() -> None:
    assert {code for table in TABLES for code in table} == set(registered())


def test_all_words_are_marked_for_translators() -> None:
    """What a table says without gettext has no words of its own: `{one}; {other}`."""
    unmarked = [
        code
        for table in TABLES
        for code, sentence in table.items()
        if isinstance(sentence, str) and re.search(r"[^\W\d_]", re.sub(r"{[^}]*}", "", sentence))
    ]
    assert unmarked == []
