from __future__ import annotations

from typing import Annotated, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import OneOf, Uid, said


class Finding(TypedDict):
    """One result of preflight; a block forbids the start."""

    check: Annotated[str, said("e.g. `components`")]
    level: Annotated[str, OneOf(words.READINESS_LEVELS)]
    count: Annotated[int, said("agents it is about")]
    text: str
    samples: list[str]
    about_agents: Annotated[bool, said("`?check=` lists them")]
    can_override: Annotated[bool, said("a start may `accept` it by its `check`, with a reason")]


class FoundAboutTarget(TypedDict):
    check: str
    level: Annotated[str, OneOf(words.READINESS_LEVELS)]


class ReadyTarget(TypedDict):
    agent: Uid
    name: str
    phase: str
    findings: Annotated[list[FoundAboutTarget], said("empty: nothing stands in its way")]


class Readiness(TypedDict):
    findings: list[Finding]
    targets: list[ReadyTarget]
    next: str | None
