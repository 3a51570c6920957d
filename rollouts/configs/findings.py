"""What a check says about a config. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from console.lib.texts import Text, from_json, said, text

MAX_PLACES = 5  # findings of one kind that are shown by themselves
_MAX_CHARS = 400


class Severity(StrEnum):
    """`error` blocks a rollout; a `warning` may be accepted by name when one starts."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Check(StrEnum):
    """The rules, in the order they are shown."""

    SECTIONS = "sections"
    COMPONENTS = "components"
    VALUES = "values"
    SERVICE = "service"
    PIPELINES = "pipelines"
    REFERENCES = "references"
    CONNECTORS = "connectors"
    PROVIDED = "provided"
    UNUSED = "unused"
    TELEMETRY = "telemetry"
    SECRETS = "secrets"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class ConfigFinding:
    """One result of one rule; `line` counts from 1, 0 when it concerns no line.

    `is_final`: no collector of any version can run this, or an agent would be lost by it, so
    nobody can override it. `count` is how many places it stands for.
    """

    check: Check
    level: Severity
    says: Text
    line: int = 0
    is_final: bool = False
    count: int = 1

    @property
    def message(self) -> str:
        """The sentence in the language of who reads it."""
        return said(self.says)[:_MAX_CHARS]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data, as ConfigVersion.checks keeps it; `worded` makes it to be read."""
        return {
            "check": self.check.value,
            "level": self.level.value,
            "line": self.line,
            "message": self.says.to_json(),
            "final": self.is_final,
            "count": self.count,
        }


def grouped(findings: Iterable[ConfigFinding]) -> list[ConfigFinding]:
    """Return the findings in the order they are shown, few of each kind.

    A kind is one level of one rule. Its first places stand alone, the others are one finding that
    counts them: what a config of a megabyte is told stays small enough to read.
    """
    kinds: dict[tuple[Check, Severity, bool], list[ConfigFinding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.check, finding.level, finding.is_final].append(finding)
    shown: list[ConfigFinding] = []
    for (check, level, is_final), found in kinds.items():
        found.sort(key=lambda one: one.line)
        more = found[MAX_PLACES:] if len(found) > MAX_PLACES + 1 else []
        shown += found[: len(found) - len(more)]
        if more:
            says = text("config.more_like_these", more=len(more), line=more[-1].line)
            shown.append(ConfigFinding(check, level, says, more[0].line, is_final, len(more)))
    order = list(Check)
    return sorted(shown, key=lambda one: (order.index(one.check), one.line))


def worded(check: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `to_dict` made with its message as a sentence. One kept before it was a text is
    shown as it is."""
    return {**check, "message": said(from_json(check.get("message", "")))[:_MAX_CHARS]}
