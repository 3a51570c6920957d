"""Starting in spite of a finding of preflight: by its name and with a reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from console.lib.problems import FieldError, Invalid
from console.lib.texts import Text, text
from rollouts.drafts.finding import BLOCK, Finding

MAX_REASON = 500


def still_blocking(found: Iterable[Finding], accepted: Collection[str]) -> list[Finding]:
    """Return what forbids the start although these checks are accepted."""
    return [
        finding
        for finding in found
        if finding.level == BLOCK and not (finding.can_override and finding.check in accepted)
    ]


def accepted_by(found: Sequence[Finding], reasons: Mapping[str, str]) -> list[Finding]:
    """Return the findings that somebody accepts, `reasons` by the name of each.

    Raises Invalid for a name that nothing was found under, one that nobody can accept, and one
    without a reason.
    """
    by_name = {finding.check: finding for finding in found if finding.can_override}
    errors = []
    for name, reason in reasons.items():
        if name not in by_name:
            errors.append(FieldError(f"accept.{name[:60]}", _cannot(name, found, by_name)))
        elif not reason.strip() or len(reason) > MAX_REASON or "\x00" in reason:
            says = text("accept.say_why", name=name, most=MAX_REASON)
            errors.append(FieldError(f"accept.{name}", says))
    if errors:
        raise Invalid(errors[0].says, errors=errors)
    return [by_name[name] for name in reasons]


def _cannot(name: str, found: Sequence[Finding], by_name: Collection[str]) -> Text:
    if any(finding.check == name for finding in found):
        return text("accept.mend_it", name=name)
    if by_name:
        return text("accept.not_found_but", name=name[:60], known=sorted(by_name))
    return text("accept.not_found", name=name[:60])
