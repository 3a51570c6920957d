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
COURSES = frozenset({"rollout", "rollback"})


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was done, to which things: the first NAMED of them, and how many more there are. `reason` is
    "" where a line before it in its group has said it."""

    event: AuditEvent
    does: Promise | str
    objects: Sequence[AuditEvent]
    more: int
    phases: list[str]
    reason: str


@dataclass(frozen=True, slots=True)
class AuditGroup:
    """What one act wrote, in the order in which it happened; each reason is said once."""

    lines: list[AuditLine]
    is_quoted: bool
    request_id: str


def grouped(rows: Iterable[AuditEvent]) -> list[AuditGroup]:
    """Return rows, newest first, in groups of one act, newest first."""
    found: list[list[AuditEvent]] = []
    for row in rows:
        if found and _is_same_act(found[-1], row):
            found[-1].append(row)
        else:
            found.append([row])
    return [_group(own) for own in found]


def _is_same_act(group: Sequence[AuditEvent], row: AuditEvent) -> bool:
    first = group[0]
    if (first.actor_kind, first.actor_name) != (row.actor_kind, row.actor_name):
        return False
    if first.request_id or row.request_id:
        return first.request_id == row.request_id
    return first.at == row.at and len(_courses([*group, row])) <= 1


def _courses(rows: Iterable[AuditEvent]) -> set[tuple[str, str]]:
    """Return the rollouts and rollbacks that rows are about: one decision is about one."""
    return {(row.object_kind, row.object_id) for row in rows if row.object_kind in COURSES}


def _group(rows: list[AuditEvent]) -> AuditGroup:
    lines: list[AuditLine] = []
    for _key, own in groupby(rows[::-1], key=_line_of):
        lines.append(_line(list(own), {line.reason for line in lines}))
    first = rows[-1]
    return AuditGroup(
        lines=lines,
        is_quoted=first.actor_kind in {AuditEvent.ActorKind.HUMAN, AuditEvent.ActorKind.TOKEN},
        request_id=first.request_id,
    )


def _line_of(event: AuditEvent) -> tuple[str, str, str]:
    """Rows that say the same of several things, or of several phases of one, are one line."""
    is_course = event.object_kind in COURSES
    return event.act, event.object_kind, event.object_id if is_course else ""


def _line(rows: list[AuditEvent], told: set[str]) -> AuditLine:
    reason = said(rows[0].reason)
    things = list({(row.object_kind, row.object_id): row for row in rows}.values())
    return AuditLine(
        event=rows[0],
        does=words.act(rows[0].act),
        objects=things[:NAMED],
        more=max(0, len(things) - NAMED),
        phases=list(dict.fromkeys(filter(None, map(_phase, rows)))),
        reason="" if reason in told else reason,
    )


def _phase(event: AuditEvent) -> str:
    details = event.details if isinstance(event.details, dict) else {}
    return str(details.get("phase") or "")
