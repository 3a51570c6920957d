"""A collector configuration read into what the checks ask of it. Pure.

A value that is a reference (`${file:...}`, `${env:X}`) is resolved on the agent. It can stand for a
name, a list or a whole section, so what it holds is unknown here by its nature: it is listed in
`provided`, and nothing is concluded from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.lib.yaml import Document, Path

KINDS = {
    "receivers": "receiver",
    "processors": "processor",
    "exporters": "exporter",
    "extensions": "extension",
    "connectors": "connector",
}
SECTIONS = (*KINDS, "service")
SIGNALS = ("traces", "metrics", "logs", "profiles")
ROLES = ("receivers", "processors", "exporters")

_TYPE = re.compile(r"[a-zA-Z][0-9a-zA-Z_]{0,62}")
_MAX_NAME = 1024


@dataclass(frozen=True, slots=True)
class Use:
    """A pipeline names a component in one of its roles."""

    pipeline: str
    role: str
    component: str
    path: Path


class Collector:
    """The sections, components and uses of one document; whatever is malformed is left out.

    `components` has, for each section, the key of each component by its id (`a / b` is `a/b`);
    `provided` has each reference by its path.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
        self.service = _mapping(self.data.get("service"))
        self.pipelines = _mapping(self.service.get("pipelines"))
        self.components = {
            section: {normal_id(key): key for key in _mapping(self.data.get(section))}
            for section in KINDS
        }
        self.provided = dict(self._provided())
        self._at = self.provided.keys()
        # Whether all that runs is written out here.
        self.pipelines_known = not any(
            path == ("service",) or path[:2] == ("service", "pipelines") for path in self._at
        )
        self.extensions_known = not any(
            path == ("service",) or path[:2] == ("service", "extensions") for path in self._at
        )
        self.uses = list(self._uses())
        self.extensions = list(self._extensions())

    @property
    def is_collector(self) -> bool:
        """Return whether this looks like a collector's config rather than some other agent's."""
        return bool(self.pipelines) or any(section in self.data for section in KINDS)

    def is_provided(self, *path: str | int) -> bool:
        """Return whether the value at a path, or one around it, is a reference."""
        return any(path[:length] in self._at for length in range(1, len(path) + 1))

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest thing around it."""
        return self.document.key_mark(*path).line

    def used(self, role: str) -> set[str]:
        """Return the components that any pipeline names in a role."""
        return {use.component for use in self.uses if use.role == role}

    def _provided(self) -> Iterator[tuple[Path, str]]:
        """Yield each reference that stands where structure is expected, in reading order."""
        for section, body in self.data.items():
            if section in SECTIONS and is_reference(body):
                yield (section,), body
            elif section in KINDS:
                for key, settings in _mapping(body).items():
                    if is_reference(settings):
                        yield (section, key), settings
        for key in ("extensions", "pipelines", "telemetry"):
            yield from _references_in(self.service.get(key), ("service", key))
        for pipeline, body in self.pipelines.items():
            path = ("service", "pipelines", pipeline)
            yield from _references_in(body, path)
            for role in ROLES:
                yield from _references_in(_mapping(body).get(role), (*path, role))

    def _uses(self) -> Iterator[Use]:
        for pipeline, body in self.pipelines.items():
            for role in ROLES:
                path = ("service", "pipelines", pipeline, role)
                for number, component in _names(_mapping(body).get(role)):
                    yield Use(pipeline, role, component, (*path, number))

    def _extensions(self) -> Iterator[tuple[int, str]]:
        """Yield the place and the id of each extension that runs."""
        yield from _names(self.service.get("extensions"))


def is_reference(value: object) -> bool:
    """Return whether a value, or a part of it, is resolved on the agent."""
    return isinstance(value, str) and "${" in value


def is_component_id(text: str) -> bool:
    """Return whether a text is `type` or `type/name`."""
    kind, slash, name = normal_id(text).partition("/")
    return _TYPE.fullmatch(kind) is not None and (not slash or 0 < len(name) <= _MAX_NAME)


def has_odd_name(text: str) -> bool:
    """Return whether the name in `type/name` has characters that newer collectors refuse there.

    Those are separators, control characters and symbols (0.149; older ones took them).
    """
    name = normal_id(text).partition("/")[2]
    return any(unicodedata.category(character)[0] in "ZCS" for character in name)


def is_pipeline_id(text: str) -> bool:
    """Return whether a text is a signal or `signal/name`."""
    signal, slash, name = normal_id(text).partition("/")
    return signal in SIGNALS and (not slash or bool(name))


def normal_id(text: str) -> str:
    """Return an id without the blanks that a collector takes away: `batch / a` is `batch/a`."""
    kind, slash, name = text.partition("/")
    return f"{kind.strip()}{slash}{name.strip()}"


def type_of(component: str) -> str:
    """Return `otlp` for `otlp/backend`."""
    return component.split("/", 1)[0].strip()


def _references_in(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and is_reference(value):
        yield path, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if isinstance(item, str) and is_reference(item):
                yield (*path, number), item


def _names(value: object) -> Iterator[tuple[int, str]]:
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str) and not is_reference(item):
            yield number, normal_id(item)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
