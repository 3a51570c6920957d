"""Advisory locks of PostgreSQL: what only one may do at a time, in the whole deployment.

A lock is a number, kept beside what it guards; the database frees it when its holder ends or dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def wait_for(lock: int) -> None:
    """Wait until nobody else holds the lock; it is held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def is_free(lock: int) -> bool:
    """Take the lock until the end of the transaction, or say that another holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])


@contextmanager
def alone(kind: int, number: int) -> Iterator[bool]:
    """Hold the lock of one thing of a kind for the block, without a transaction; false when another
    holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, number])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [kind, number])
