"""Notices that something else needs a person than before, and forgets what is over."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db.models import CharField, Value
from django.db.models.functions import Concat

from accounts.actor import SYSTEM
from console.lib import hints
from rollouts.attention.sources import split, statement
from rollouts.models import Acknowledgement

# A thing that comes and goes within this time (a hold, a gateway that restarts) stays acknowledged.
GRACE = timedelta(minutes=10)


def watch(now: datetime) -> bool:
    """Tell open pages when the things that need a person are other ones than at the last look.

    Events of rollouts tell pages by themselves; a late engine, a gone gateway, an agent at the door and
    an error of a tick write none. Returns whether it was news.
    """
    waiting, seen = split(list(statement(SYSTEM, now)))
    things = [f"{row.kind} {row.subject}" for row in (*waiting, *seen)]
    _forget(things, now)
    told = "\n".join(f"{row.kind} {row.subject} {row.facts}" for row in waiting)
    is_news = hints.is_news("needs", hashlib.sha256(told.encode()).hexdigest())
    if is_news:
        hints.mark_dirty("approvals")
    return is_news


def _forget(things: list[str], now: datetime) -> None:
    """Drop acknowledgements of things that are over: the same again later is a new one."""
    thing = Concat("kind", Value(" "), "subject", output_field=CharField())
    old = Acknowledgement.objects.annotate(thing=thing).filter(at__lt=now - GRACE)
    old.exclude(thing__in=things).delete()
