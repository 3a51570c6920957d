from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import OneOf, said
from console.api.shapes.configs import Check


class Applied(TypedDict):
    kind: Annotated[str, OneOf(words.DOCUMENT_KINDS)]
    name: str
    change: Annotated[str, OneOf(words.CHANGES)]
    file: str
    difference: Annotated[str, said("unified patch, empty when unchanged")]
    notes: Annotated[list[str], said("what may be wrong with its selectors: labels nobody has")]
    version: NotRequired[Annotated[int, said("of a config")]]
    checks: NotRequired[Annotated[list[Check], said("of a config")]]


class AppliedList(TypedDict):
    applied: list[Applied]
    dry_run: bool
