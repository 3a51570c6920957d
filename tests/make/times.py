"""The moment at which most tests happen."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
