"""Answers are typed dictionaries: what a route says, what mypy checks, and what the document shows.

An answer is declared once, as a `TypedDict`. A reader that builds one is checked against it, key by key
and type by type; building and sending it costs no more than any other dictionary, so a list of 10,000
agents streams as it did. The OpenAPI document is made from the same class: `documented` turns it into
the serializer that drf-spectacular reads, which never serializes anything.

A field is a type, or `Annotated[type, ...]` with notes: `OneOf(words)`, `said("help")`, or a field class
of serializers for what text looks like (`serializers.URLField`). `X | None` may be null, `NotRequired`
may be missing, a list of answers is `list[Answer]`, any object is `dict[str, Any]`.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from typing import (
    Annotated,
    Any,
    Generic,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.response import Response

from console.api.shapes.base import Hash

T = TypeVar("T")
Field = serializers.Field[Any, Any, Any, Any]

_SIMPLE: dict[object, type[Field]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    bool: serializers.BooleanField,
    datetime: serializers.DateTimeField,
    time: serializers.TimeField,
    UUID: serializers.UUIDField,
    Any: serializers.JSONField,
}


class Answer(Generic[T], Response):  # Generic first: Response[T] forgets T
    """The answer of a route that says a `T`: `def get(...) -> Answer[shapes.AgentList]`."""

    def __init__(self, data: T, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(data, status=status, headers=headers)


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """The text is one of these words."""

    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What the document says of a field."""

    help: str


said = Said


class Schema(AutoSchema):
    """Reads `responses=` that name answers."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        declared = self.get_response_serializers()
        if is_typeddict(declared):
            return {"200": self._get_response_for_code(declared, "200", direction=direction)}
        return super()._get_response_bodies(direction)

    def _get_response_for_code(self, serializer: Any, *args: Any, **options: Any) -> Any:
        made = documented(serializer) if is_typeddict(serializer) else serializer
        return super()._get_response_for_code(made, *args, **options)  # type: ignore[no-untyped-call]


Uid = Annotated[str, serializers.UUIDField]
Url = Annotated[str, serializers.URLField]
Address = Annotated[str, serializers.IPAddressField]
HashText = Annotated[str, Hash]


@cache
def documented(answer: type) -> type[serializers.Serializer[Any]]:
    """Return the serializer that describes an answer; it goes by the name of the answer."""
    hints = get_type_hints(answer, include_extras=True)
    fields = {name: _field(hint) for name, hint in hints.items()}
    # Some names of fields (`source`, `label`) are words of serializers, so none is an attribute.
    return type(
        answer.__name__,
        (serializers.Serializer,),
        {"__doc__": answer.__doc__, "get_fields": lambda self: deepcopy(fields)},
    )


def _field(hint: Any) -> Field:
    options: dict[str, Any] = {}
    kind: type[Field] | None = None
    words: Sequence[str] | None = None
    while True:
        origin, args = get_origin(hint), get_args(hint)
        if origin is NotRequired:
            options["required"] = False
            hint = args[0]
        elif origin is Annotated:
            for note in hint.__metadata__:
                if isinstance(note, OneOf):
                    words = note.words
                elif isinstance(note, Said):
                    options["help_text"] = note.help
                else:
                    kind = note
            hint = args[0]
        elif origin in (Union, types.UnionType):
            options["allow_null"] = True
            (hint,) = (one for one in args if one is not type(None))
        else:
            break
    if words is not None:
        return serializers.ChoiceField(words, **options)
    if kind is not None:
        return kind(**options)
    return _of_type(hint, options)


def _of_type(hint: Any, options: dict[str, Any]) -> Field:
    origin, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return documented(hint)(**options)
    if origin is list and is_typeddict(args[0]):
        return documented(args[0])(many=True, **options)
    if origin is list:
        return serializers.ListField(child=_field(args[0]), **options)
    if origin is dict:
        if args[1] is not Any:
            options["child"] = _field(args[1])
        return serializers.DictField(**options)
    return _SIMPLE[hint](**options)
