"""The database backend when DATABASE_URL is not set: whoever asks is told so, at once."""

from __future__ import annotations

from typing import NoReturn

from django.db.backends.dummy import base
from django.db.utils import OperationalError


class DatabaseWrapper(base.DatabaseWrapper):
    """Refuses every use with a sentence that says what to set."""

    def ensure_connection(self) -> NoReturn:
        """Raise OperationalError: Django's own commands know how to go on without a database."""
        raise OperationalError(
            "DATABASE_URL is not set. `manage.py up` brings a PostgreSQL of its own; every other "
            "process needs the URL of one, e.g. postgresql://user:password@host/tidegate."
        )

    def cursor(self) -> NoReturn:
        """Raise OperationalError."""
        self.ensure_connection()
