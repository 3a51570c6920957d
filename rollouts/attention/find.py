"""What needs a person now, ready to be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.actor import Actor
from console.lib.texts import Text
from rollouts.attention.sources import SourceKind, SourceRow, split, statement
from rollouts.attention.told import LOADERS, About
from rollouts.models import Acknowledgement


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs a person: what it is, what follows, what it is about, since when.

    `seen_by` and `seen_at` say who acknowledged it; "" and None while nobody has.
    """

    kind: str
    subject: str
    facts: str
    says: Text
    more: Text | str
    about: About
    since: datetime | None
    seen_by: str = ""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """All of it: `waiting` nobody has acknowledged, `seen` somebody has; each worst first."""

    waiting: list[Item]
    seen: list[Item]


def needs(actor: Actor, now: datetime, rows: list[tuple[str, str, str]] | None = None) -> Needs:
    """Return everything that needs a person and this one may see; `rows` if `statement` was read."""
    waiting, seen = split(list(statement(actor, now)) if rows is None else rows)
    return Needs(_items(waiting, now), _items(seen, now))


def _items(rows: Sequence[SourceRow], now: datetime) -> list[Item]:
    """Say what these rows are; a row whose thing is gone meanwhile is left out."""
    by_kind: dict[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    told = {kind: LOADERS[SourceKind(kind)](mine, now) for kind, mine in by_kind.items()}
    notes = {(a.kind, a.subject): a for a in _notes(rows)}
    found = []
    for row in rows:
        one = told[row.kind].get(row.subject)
        note = notes.get((row.kind, row.subject))
        if one is None:
            continue
        is_seen = note is not None and note.facts == row.facts
        found.append(
            Item(
                row.kind,
                row.subject,
                row.facts,
                one.says,
                one.more,
                one.about,
                one.since,
                note.by_name if note and is_seen else "",
                note.at if note and is_seen else None,
            )
        )
    return found


def _notes(rows: Sequence[SourceRow]) -> list[Acknowledgement]:
    if not rows:
        return []
    return list(Acknowledgement.objects.filter(subject__in={row.subject for row in rows}))
