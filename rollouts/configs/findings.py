"""What a check says about a config. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """`error` blocks a rollout, the others do not."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Check(StrEnum):
    """The rules, in the order they are shown."""

    SECTIONS = "sections"
    COMPONENTS = "components"
    SERVICE = "service"
    PIPELINES = "pipelines"
    REFERENCES = "references"
    CONNECTORS = "connectors"
    UNUSED = "unused"
    SECRETS = "secrets"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one rule; `line` counts from 1, 0 when it concerns no line."""

    check: Check
    level: Level
    message: str
    line: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data, as ConfigVersion.checks keeps it and the API shows it."""
        return {
            "check": self.check.value,
            "level": self.level.value,
            "line": self.line,
            "message": self.message,
        }


def blocks(checks: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the messages among stored checks that forbid a rollout."""
    return [_with_line(check) for check in checks if check["level"] == Level.ERROR]


def _with_line(check: Mapping[str, Any]) -> str:
    return f"line {check['line']}: {check['message']}" if check["line"] else str(check["message"])
