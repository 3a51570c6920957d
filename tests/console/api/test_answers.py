"""Answers are declared once: the document, the type checker and the routes mean the same class."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, NotRequired, TypedDict, get_args, get_origin, get_type_hints

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers

from console.api.shapes.answer import Answer, OneOf, Url, documented, said

# Answered while it is read, or as a file; and three kinds by one method, whose rows are typed.
OTHERWISE = {"agents_list", "rollouts_measurements", "rollouts_timeline"} | {
    f"{kind}_save" for kind in ("budgets", "freeze_windows", "guards")
}


class Part(TypedDict):
    name: str


class Whole(TypedDict):
    """A whole."""

    source: str
    state: Annotated[str | None, OneOf(["on", "off"]), said("or null")]
    url: Url
    parts: Annotated[list[Part], said("all of them")]
    first: Part
    sizes: dict[str, int]
    anything: dict[str, Any]
    note: NotRequired[str]


def fields() -> dict[str, Any]:
    return documented(Whole)().get_fields()


def test_a_field_is_of_its_type() -> None:
    kinds = {name: type(field) for name, field in fields().items()}
    assert kinds == {
        "source": serializers.CharField,
        "state": serializers.ChoiceField,
        "url": serializers.URLField,
        "parts": serializers.ListSerializer,
        "first": documented(Part),
        "sizes": serializers.DictField,
        "anything": serializers.DictField,
        "note": serializers.CharField,
    }


def test_notes_are_kept() -> None:
    state, note = fields()["state"], fields()["note"]
    assert (state.allow_null, list(state.choices), state.help_text) == (
        True,
        ["on", "off"],
        "or null",
    )
    assert fields()["parts"].help_text == "all of them"
    assert fields()["sizes"].child.__class__ is serializers.IntegerField
    assert state.required
    assert not note.required


def test_the_document_calls_it_by_its_name() -> None:
    assert (documented(Whole).__name__, documented(Whole).__doc__) == ("Whole", "A whole.")
    assert documented(Whole) is documented(Whole)


def routes() -> Iterator[tuple[str, Any, set[Any]]]:
    """Yield operation id, method and the classes that the document shows as its answers."""
    generator = SchemaGenerator()
    generator._initialise_endpoints()
    for path, regex, method, view in generator._get_paths_and_endpoints():
        if not path.startswith("/api/v1"):
            continue
        schema = view.schema
        operation = schema.get_operation(path, regex, "/api/v1", method, generator.registry)
        shown = schema.get_response_serializers()
        named = set(shown.values()) if isinstance(shown, dict) else {shown}
        # An act that shares its reading with others says in a method of its own what it answers.
        answers = getattr(view, "answer", None) or getattr(view, method.lower())
        yield operation["operationId"], answers, named


ROUTES = [(name, method, shown) for name, method, shown in routes() if name not in OTHERWISE]


@pytest.mark.parametrize(("name", "method", "shown"), ROUTES, ids=[name for name, _, _ in ROUTES])
def test_a_route_returns_what_the_document_shows(name: str, method: Any, shown: set[Any]) -> None:
    function = inspect.unwrap(method)
    returns = get_type_hints(function)["return"]
    # Beside the answer of an act stands the problem that says what moved meanwhile.
    found = [one for one in get_args(returns) if get_origin(one) is Answer] or [returns]
    answers = {one for one in shown if one is not None and inspect.isclass(one)}
    if answers:
        assert get_origin(found[0]) is Answer, f"{function.__qualname__} returns {returns}"
        [shape] = get_args(found[0])
        assert (set(get_args(shape)) or {shape}) == answers
