"""A column of sentences: those of the system are kept as texts, those of people as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from console.lib.texts import Text, from_column, to_column

if TYPE_CHECKING:
    _Column = models.TextField[Text | str, Text | str]
else:
    _Column = models.TextField


class TextColumn(_Column):
    """A text column that takes a `Text` or a string, and gives back what it took.

    The database and migrations know it as the TextField that it is.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", list(args), dict(kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else from_column(value)

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(to_column(value) if isinstance(value, Text) else value)

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Text) else super().to_python(value)
