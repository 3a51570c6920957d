"""Reads the freeze windows that people have saved."""

from __future__ import annotations

from rollouts.limits.freeze import Window
from rollouts.models import FreezeWindow


def saved_windows() -> list[Window]:
    """Return all windows: one small query."""
    return [window_of(row) for row in FreezeWindow.objects.all()]


def window_of(row: FreezeWindow) -> Window:
    """Return the pure value of a row."""
    return Window(
        name=row.name,
        environment=row.environment,
        time_zone=row.time_zone,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        weekdays=tuple(row.weekdays),
        from_time=row.from_time,
        to_time=row.to_time,
    )
