"""Rows of the audit log as people read them: what one act wrote stands together. Pure.

One act of a person is one request; one decision of the engine has one moment and one object.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise

from accounts.models import AuditEvent
from console.lib.texts import said
from console.words import audit as words

NAMED = 3  # objects of one act that are named


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done, to which things: the first NAMED of them, and how many more there are."""

    event: AuditEvent
    does: Promise | str
    objects: Sequence[AuditEvent]
    more: int
    phase: str


@dataclass(frozen=True, slots=True)
class AuditGroup:
    """What one act wrote, in the order in which it happened. `reason` is said once where all lines
    have the same, else "" and each line says its own."""

    first: AuditEvent
    lines: list[AuditLine]
    reason: str
    is_quoted: bool
    request_id: str


def grouped(rows: Iterable[AuditEvent]) -> list[AuditGroup]:
    """Return rows, newest first, in groups of one act, newest first."""
    return [_group(list(own)) for _key, own in groupby(rows, key=_act_of)]


def _act_of(event: AuditEvent) -> tuple[object, ...]:
    """Return what rows of one act have in common."""
    if event.request_id:
        return (event.request_id, event.actor_name)
    return (event.at, event.actor_kind, event.actor_name, event.object_kind, event.object_id)


def _group(rows: list[AuditEvent]) -> AuditGroup:
    told = rows[::-1]
    reasons = {said(event.reason) for event in told} - {""}
    lines = [_line(list(own)) for _key, own in groupby(told, key=_line_of)]
    first = told[0]
    return AuditGroup(
        first=first,
        lines=lines,
        reason=reasons.pop() if len(reasons) == 1 else "",
        is_quoted=first.actor_kind in {AuditEvent.ActorKind.HUMAN, AuditEvent.ActorKind.TOKEN},
        request_id=first.request_id,
    )


def _line_of(event: AuditEvent) -> tuple[str, str, str]:
    """Rows that say the same of several things are one line."""
    is_of_phases = event.object_kind in {"rollout", "rollback"}
    return event.act, event.object_kind, f"{event.pk}" if is_of_phases else ""


def _line(rows: list[AuditEvent]) -> AuditLine:
    details = rows[0].details if isinstance(rows[0].details, dict) else {}
    return AuditLine(
        event=rows[0],
        does=words.act(rows[0].act),
        objects=rows[:NAMED],
        more=max(0, len(rows) - NAMED),
        phase=str(details.get("phase") or ""),
    )
