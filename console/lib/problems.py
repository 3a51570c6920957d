"""Errors people read: each says what was read, where, what is wrong and what would be right.

Raised with the code of a text and its parameters (`Refused("rollout.busy", names=names)`); the
sentences stand in `console.words`. The API answers them as RFC 9457 problem+json, pages show `detail`
and the field messages, commands print them. Raise the class whose meaning fits; `code` is stable and
for scripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from console.lib.texts import Text, said, text


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong place: `path` is a field, `file:line` or JSON path; `says` one sentence."""

    path: str
    says: Text | str

    @property
    def message(self) -> str:
        """The sentence in the language of who reads it."""
        return said(self.says)


def _is_code(says: str) -> bool:
    """Tell a code of the tables from a sentence that came ready-made (from a library)."""
    return " " not in says


MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Base of all errors that are answered rather than logged as faults."""

    status = 400
    code = "problem"
    title = text("problem.any")

    def __init__(
        self,
        says: Text | str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        **params: Any,
    ) -> None:
        self.says = Text(says, params) if isinstance(says, str) and _is_code(says) else says
        super().__init__(self.says)
        self.code = code or type(self).code
        self.errors = tuple(errors)

    @classmethod
    def at(cls, path: str, says: Text, *, code: str | None = None) -> Self:
        """Return the error of one wrong place, which is all that it says."""
        return cls(says, code=code, errors=[FieldError(path, says)])

    @property
    def detail(self) -> str:
        """The sentence in the language of who reads it."""
        return said(self.says)

    @property
    def heading(self) -> str:
        """The title as a page's heading: without the full stop."""
        return said(self.title).rstrip(".。")

    def body(self, request_id: str = "", **more: Any) -> dict[str, Any]:
        """Return it as problem+json (RFC 9457): our members, then extension members."""
        return {
            "type": f"urn:tidegate:problem:{self.code}",
            "title": said(self.title),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [{"path": e.path, "message": e.message} for e in self.errors],
            "request_id": request_id,
            **more,
        }

    def __str__(self) -> str:
        return "\n".join([self.detail, *(f"{e.path}: {e.message}" for e in self.errors)])


class Invalid(Problem):
    """The input is wrong; sending it again unchanged cannot help."""

    status = 422
    code = "invalid"
    title = text("problem.invalid")


class TooLarge(Problem):
    """The input is over a limit (security.md section 8)."""

    status = 413
    code = "too_large"
    title = text("problem.too_large")


class Denied(Problem):
    """The person may not do this; the detail says which role is missing."""

    status = 403
    code = "denied"
    title = text("problem.denied")


class Missing(Problem):
    """The object does not exist, or is outside the person's scope."""

    status = 404
    code = "missing"
    title = text("problem.missing")


class Refused(Problem):
    """A rule says no in the present state; the detail names the rule and what would help."""

    status = 409
    code = "refused"
    title = text("problem.refused")


class Stale(Problem):
    """The object moved on since the person looked. Nothing was done."""

    status = 409
    code = "stale"
    title = text("problem.stale")


class Transient(Problem):
    """Something needed is away for the moment; trying again later can help."""

    status = 503
    code = "transient"
    title = text("problem.transient")


class NotOurName(Problem):
    """The request came under a host name that is not allowed."""

    code = "host_not_allowed"
    title = text("problem.not_our_name")
