"""A collector configuration read into what the checks ask of it. Pure."""

from __future__ import annotations

import re
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

_COMPONENT_ID = re.compile(r"[a-zA-Z][0-9a-zA-Z_]{0,62}(?:\s*/\s*\S.{0,1023})?")
_PIPELINE_ID = re.compile(rf"(?:{'|'.join(SIGNALS)})(?:/\S.*)?")


@dataclass(frozen=True, slots=True)
class Use:
    """A pipeline names a component in one of its roles."""

    pipeline: str
    role: str
    component: str
    path: Path


class Collector:
    """The sections, components and uses of one document; whatever is malformed is left out."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
        self.service = _mapping(self.data.get("service"))
        self.pipelines = _mapping(self.service.get("pipelines"))
        self.components = {section: set(_mapping(self.data.get(section))) for section in KINDS}
        self.uses = list(self._uses())
        self.extensions = _texts(self.service.get("extensions"))

    @property
    def is_collector(self) -> bool:
        """Return whether this looks like a collector's config rather than some other agent's."""
        return bool(self.pipelines) or any(section in self.data for section in KINDS)

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest thing around it."""
        return self.document.key_mark(*path).line

    def used(self, role: str) -> set[str]:
        """Return the components that any pipeline names in a role."""
        return {use.component for use in self.uses if use.role == role}

    def _uses(self) -> Iterator[Use]:
        for pipeline, body in self.pipelines.items():
            for role in ROLES:
                names = _mapping(body).get(role)
                for number, component in enumerate(names if isinstance(names, list) else ()):
                    if isinstance(component, str):
                        path = ("service", "pipelines", pipeline, role, number)
                        yield Use(pipeline, role, component, path)


def is_component_id(text: str) -> bool:
    """Return whether a text is `type` or `type/name`."""
    return _COMPONENT_ID.fullmatch(text) is not None


def is_pipeline_id(text: str) -> bool:
    """Return whether a text is a signal or `signal/name`."""
    return _PIPELINE_ID.fullmatch(text) is not None


def type_of(component: str) -> str:
    """Return `otlp` for `otlp/backend`."""
    return component.split("/", 1)[0].strip()


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
