"""What the database sessions of a worker may do at most, so that no statement outlives its task.

A task that is stopped cannot stop its statement: PostgreSQL would go on with it, holding the locks
that the next task needs. So the server has the limits, and asks now and then whether anybody waits.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

# How soon the server notices, in the middle of a statement, that its client is gone.
CHECK_CLIENT_S = 2.0

# Names that this server does not know are passed over: `transaction_timeout` came with 17.
_SET = """
    SELECT set_config(s.name, w.value, false)
    FROM unnest(%s::text[], %s::text[]) AS w(name, value) JOIN pg_settings s ON s.name = w.name
"""


class SessionLimits:
    """Limits for each new session of this process; `install` them once.

    A statement may take `statement_s`, one transaction `task_s` in all and, when its client does
    nothing, as long as that: a task is over by then, whatever became of it.
    """

    def __init__(self, *, statement_s: float, task_s: float) -> None:
        self._limits = {
            "statement_timeout": statement_s,
            "transaction_timeout": task_s,
            "idle_in_transaction_session_timeout": task_s,
            "tcp_user_timeout": task_s,
        }

    def install(self) -> None:
        """Limit every session that is opened from now on, pooled ones each time they are taken."""
        # The signal holds this object: a weak reference would end with the caller.
        connection_created.connect(self.apply, weak=False, dispatch_uid="tidegate.session_limits")

    def apply(self, *, connection: Any, **_: object) -> None:
        """Set the limits of one session."""
        _set(connection, self._limits)
        try:
            _set(connection, {"client_connection_check_interval": CHECK_CLIENT_S})
        except DatabaseError as error:  # the server's system cannot ask
            logger.info("the server does not look after its clients", extra={"error": str(error)})


def _set(connection: Any, limits: dict[str, float]) -> None:
    values = [f"{seconds * 1000:.0f}ms" for seconds in limits.values()]
    with connection.cursor() as cursor:
        cursor.execute(_SET, [list(limits), values])
