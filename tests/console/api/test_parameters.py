"""Parameters of the query string: read as described, and described where they are read."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

import console.api.paging
from console.api import params
from console.api.parameters import Flag, Instant, Number, Parameter, Text, Word, Words
from console.api.urls import urlpatterns
from console.lib.problems import Invalid

API = Path(inspect.getfile(console.api.paging)).parent
COLOUR = Word("colour", ["red", "blue"], default="red")
COLOURS = Words("colours", ["red", "blue"])
COUNT = Number("count", unsaid=7, least=1, most=9)


def asked(**sent: str) -> Request:
    return Request(RequestFactory().get("/", sent))


@pytest.mark.parametrize(
    ("parameter", "sent", "read"),
    [
        (Text("a"), {}, ""),
        (Text("a", also="b"), {"b": "x"}, "x"),
        (Text("a", also="b"), {"a": "y", "b": "x"}, "y"),
        (COLOUR, {}, "red"),
        (COLOUR, {"colour": "blue"}, "blue"),
        (COLOURS, {}, []),
        (COLOURS, {"colours": "blue,red"}, ["blue", "red"]),
        (COUNT, {}, 7),
        (COUNT, {"count": "9"}, 9),
        (Flag("f"), {}, False),
        (Flag("f"), {"f": "True"}, True),
        (Flag("f"), {"f": "0"}, False),
        (Instant("t"), {}, None),
    ],
)
def test_what_is_sent_is_read(parameter: Any, sent: dict[str, str], read: object) -> None:
    assert parameter.of(asked(**sent)) == read


@pytest.mark.parametrize(
    ("parameter", "sent", "hint"),
    [
        (Text("a"), {"a": "x\x00"}, "holds NUL"),
        (Text("a", also="b"), {"b": "\x00"}, "holds NUL"),
        (COLOUR, {"colour": "green"}, "must be one of red, blue"),
        (COLOURS, {"colours": "red,"}, "must be one or more of red, blue"),
        (COLOURS, {"colours": "red,green"}, "must be one or more of red, blue"),
        (COUNT, {"count": "0"}, "must be a whole number from 1 to 9"),
        (COUNT, {"count": "10"}, "must be a whole number from 1 to 9"),
        (COUNT, {"count": "٣"}, "must be a whole number from 1 to 9"),
        (COUNT, {"count": "9" * 5000}, "must be a whole number from 1 to 9"),
        (Flag("f"), {"f": "maybe"}, "must be true or false"),
        (Instant("t"), {"t": "soon"}, "must be a time such as 2026-11-24T10:00:00Z"),
        (Instant("t"), {"t": "2026-11-24T10:00:00"}, "must have an offset"),
    ],
)
def test_what_is_wrong_is_said_with_its_name(
    parameter: Any, sent: dict[str, str], hint: str
) -> None:
    with pytest.raises(Invalid) as problem:
        parameter.of(asked(**sent))
    (error,) = problem.value.errors
    assert error.path == parameter.name
    assert error.message.startswith(hint)


def test_nothing_else_reads_the_query_string() -> None:
    readers = {p.name for p in API.rglob("*.py") if "query_params" in p.read_text()}
    assert readers == {"parameters.py"}


def modules() -> list[ModuleType]:
    views = {inspect.getmodule(getattr(p.callback, "cls", None)) for p in urlpatterns}
    return sorted((m for m in views if m is not None), key=lambda m: m.__name__)


def calls(module: ModuleType) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call):
            yield node


def described(module: ModuleType) -> set[str]:
    """Return the names of the parameters that the routes of a module list in the document."""
    return {
        name
        for call in calls(module)
        if ast.unparse(call.func) == "extend_schema"
        for word in call.keywords
        if word.arg == "parameters"
        for node in ast.walk(word.value)
        for name in named(module, node)
    }


def named(module: ModuleType, node: ast.AST) -> set[str]:
    """Return the names of the parameters that a node stands for: `params.X`, or a dict of such."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "params":
        found = getattr(params, node.attr)
        return {p.name for p in (found if isinstance(found, list) else [found]) if is_query(p)}
    if isinstance(node, ast.Name) and isinstance(getattr(module, node.id, None), dict):
        return {p.name for p in getattr(module, node.id).values()}
    return set()


def is_query(parameter: object) -> bool:
    return isinstance(parameter, Parameter)


def read(module: ModuleType) -> set[str]:
    """Return the names of the parameters whose `of` a module calls, itself or by paging."""
    found: set[str] = set()
    for call in calls(module):
        if not isinstance(call.func, ast.Attribute):
            continue
        if ast.unparse(call.func.value) == "paging":
            found |= {p.name for p in params.PAGE}
        elif call.func.attr == "of" and ast.unparse(call.func.value) == "parameter":
            found |= {p.name for p in vars(module)["_EXACT"].values()}
        elif call.func.attr == "of":
            found |= named(module, call.func.value)
    return found


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_routes_read_what_they_describe_and_nothing_else(module: ModuleType) -> None:
    assert read(module) == described(module)
