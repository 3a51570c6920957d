"""One state of the database for everything that is shown together.

Under READ COMMITTED each query sees the newest commit: a page that reads phases, then gates, would
show the one before a tick and the other after it. Readings are put in line by their time, so the time
must be that of the state: PostgreSQL takes the state with the first query of a transaction, and that
query asks for the time. A time taken before would let a reading that waited for its first query pass
for older than one that saw less.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone


@contextmanager
def snapshot() -> Iterator[datetime]:
    """Let all queries inside see the same state, and give its time. Nothing can be written inside.

    Inside a transaction of somebody else the queries see what that one sees.
    """
    if connection.in_atomic_block:
        yield timezone.now()
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT clock_timestamp()")
            (at,) = cursor.fetchone()
        yield at
