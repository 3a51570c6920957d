"""What the checks said of a version, sorted for reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rollouts.configs.findings import ConfigFinding, worded
from rollouts.models import ConfigVersion

TOKENS = {
    "error": ("bad", "octagon-x"),
    "warning": ("warn", "triangle"),
    "note": ("off", "question"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One finding, ready to be drawn; `line` 0 when it concerns no line."""

    level: str
    word: str
    token: str
    icon: str
    message: str
    line: int
    is_final: bool
    count: int


@dataclass(frozen=True, slots=True)
class Checks:
    """What is to be read, errors first, and what passed."""

    open: list[Shown]
    passed: list[Shown]

    @classmethod
    def of(cls, version: ConfigVersion) -> Checks:
        """Sort the findings that were kept with a version."""
        return cls.sorted(check for check in version.checks if isinstance(check, dict))

    @classmethod
    def found(cls, findings: Iterable[ConfigFinding]) -> Checks:
        """Sort the findings of a text that is not saved."""
        return cls.sorted(finding.to_dict() for finding in findings)

    @classmethod
    def sorted(cls, kept: Iterable[dict[str, Any]]) -> Checks:
        """Sort findings as `ConfigFinding.to_dict` keeps them."""
        shown = [_shown(worded(check)) for check in kept]
        order = list(TOKENS)
        left = [check for check in shown if check.level in order]
        left.sort(key=lambda check: order.index(check.level))
        return cls(left, [check for check in shown if check.level not in order])

    @property
    def errors(self) -> int:
        """How many places no collector can run."""
        return sum(check.count for check in self.open if check.level == "error")

    @property
    def is_final(self) -> bool:
        """Whether nobody can accept one of them."""
        return any(check.is_final for check in self.open if check.level == "error")

    @property
    def token(self) -> str:
        """The colour of all of them together."""
        return self.open[0].token if self.open else "ok"

    @property
    def heading(self) -> str:
        """`1 error, cannot be rolled out` or `8 passed, 1 to read`: the worst is said first."""
        passed = ngettext("%(n)d passed", "%(n)d passed", len(self.passed)) % {
            "n": len(self.passed)
        }
        if self.errors and self.is_final:
            says = ngettext(
                "%(n)d error, cannot be rolled out",
                "%(n)d errors, cannot be rolled out",
                self.errors,
            )
            return says % {"n": self.errors}
        if self.errors:
            says = ngettext("%(n)d error", "%(n)d errors", self.errors)
            return says % {"n": self.errors}
        if self.open:
            return _("%(passed)s, %(n)d to read") % {"passed": passed, "n": len(self.open)}
        return passed

    @property
    def by_line(self) -> dict[int, Shown]:
        """The worst finding of each line, for the note under it."""
        return {check.line: check for check in reversed(self.open) if check.line}


def _shown(check: dict[str, Any]) -> Shown:
    words = {
        "error": pgettext("level of a check", "Error"),
        "warning": pgettext("level of a check", "Warning"),
        "note": pgettext("level of a check", "Note"),
    }
    level = str(check.get("level", "ok"))
    token, icon = TOKENS.get(level, ("ok", "ok"))
    return Shown(
        level=level,
        word=words.get(level, ""),
        token=token,
        icon=icon,
        message=str(check.get("message", "")),
        line=int(check.get("line") or 0),
        is_final=bool(check.get("final")),
        count=int(check.get("count", 1)),
    )
