"""Log lines: constant message plus fields, as text for terminals or JSON for collectors.

`bind(...)` adds fields (request, rollout, agent ids) to every line of the current context.
Values cannot break lines: control characters are escaped (security.md R41). Secrets inside texts
are hidden, whoever wrote them.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

from console.lib.secret_text import hide_secrets

_context: ContextVar[dict[str, object] | None] = ContextVar("log_fields", default=None)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextlib.contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Add `fields` to each log line written inside the block, also across awaits."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def current(name: str) -> object | None:
    """Return the bound value of one field, e.g. the request id, or None."""
    return (_context.get() or {}).get(name)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    own = {k: v for k, v in vars(record).items() if k not in _STANDARD and not k.startswith("_")}
    return {**(_context.get() or {}), **own}


def one_line(text: str) -> str:
    """Escape everything that could start a new line or steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Brief(logging.Filter):
    """Takes the traceback off a line: for what a caller did, not we."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        shown = {k: hide_secrets(v) if isinstance(v, str) else v for k, v in line.items()}
        return json.dumps(shown, default=lambda value: hide_secrets(str(value)))


class TextFormatter(logging.Formatter):
    """`12:00:00.123 INFO logger message key=value ...`, one line, exceptions after it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {k}={v}" for k, v in _fields(record).items())
        line = one_line(f"{at} {record.levelname} {record.name} {record.getMessage()}{fields}")
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return hide_secrets(line)
