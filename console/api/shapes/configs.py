from __future__ import annotations

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict

from console.api.shapes import words
from console.api.shapes.answer import HashText, OneOf, Url, said


class Check(TypedDict):
    """One result of one rule; only `error` blocks a rollout."""

    check: str
    level: Annotated[str, OneOf(words.CHECK_LEVELS)]
    line: Annotated[int, said("counts from 1; 0: no line")]
    message: str
    final: NotRequired[
        Annotated[bool, said("no collector can run it: nobody can override it at a start")]
    ]
    count: NotRequired[Annotated[int, said("how many places it stands for")]]


class Uploaded(TypedDict):
    name: str
    version: int
    config_hash: HashText
    signature: Annotated[str, said("empty while signing is not set up")]
    checks: list[Check]
    url: Url


class Version(Uploaded):
    message: str
    author: str | None
    created_at: datetime
    size_bytes: int


class VersionList(TypedDict):
    name: str
    versions: list[Version]
    next: str | None


class Config(TypedDict):
    name: str
    description: str
    latest: Annotated[int | None, said("number of the newest version")]
    created_at: datetime


class ConfigList(TypedDict):
    configs: list[Config]
