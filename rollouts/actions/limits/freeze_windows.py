"""Save and delete freeze windows: times in which no rollout advances (spec section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import record
from accounts.policy import require
from console.lib.local_time import BadTime, moment, zone_named
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import text
from rollouts.checks import needs_reason
from rollouts.models import FreezeWindow, Rollout


def save_freeze_window(
    *,
    name: str,
    by: Actor,
    reason: str,
    environment: str = "",
    time_zone: str = "",
    starts_at: datetime | str | None = None,
    ends_at: datetime | str | None = None,
    weekdays: Sequence[int] = (),
    from_time: time | None = None,
    to_time: time | None = None,
    now: datetime | None = None,
) -> FreezeWindow:
    """Save a window under its name: dated (both ends), or weekly (days, times of day).

    Ends without an offset are local to `time_zone`. Holds at once; rollbacks pass. Raises Denied,
    Invalid naming each wrong field.
    """
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.freeze_window")), now or timezone.now()
    errors: list[FieldError] = []
    zone = _zone(time_zone, errors)
    starts_at = _moment("starts_at", starts_at, zone, errors)
    ends_at = _moment("ends_at", ends_at, zone, errors)
    errors += _wrong(name, zone, starts_at, ends_at, weekdays, from_time, to_time)
    if errors:
        raise Invalid(errors[0].says, errors=errors)
    with transaction.atomic():
        window, created = FreezeWindow.objects.update_or_create(
            name=name.strip(),
            defaults={
                "environment": environment.strip(),
                "time_zone": str(zone or "UTC"),
                "starts_at": starts_at,
                "ends_at": ends_at,
                "weekdays": sorted(set(weekdays)),
                "from_time": from_time,
                "to_time": to_time,
                "reason": reason,
                "updated_by": by.name,
                "updated_at": now,
            },
        )
        _record(by, "create" if created else "change", window, reason)
        look_at_all(now)
    return window


def delete_freeze_window(*, name: str, by: Actor, reason: str, now: datetime | None = None) -> None:
    """Delete a window; rollouts that it held go on. Raises Denied, Invalid, Missing."""
    require(by, "policies.write")
    reason, now = needs_reason(reason, text("reason.deleting_freeze_window")), now or timezone.now()
    with transaction.atomic():
        window = FreezeWindow.objects.filter(name=name).first()
        if window is None:
            raise Missing("freeze_window.missing", name=name)
        _record(by, "delete", window, reason)
        window.delete()
        look_at_all(now)


def look_at_all(now: datetime) -> None:
    """Let every active rollout be looked at now: what held it may have changed."""
    active = Rollout.objects.exclude(next_tick_at=None)
    active.filter(next_tick_at__gt=now).update(next_tick_at=now)


def _zone(name: str, errors: list[FieldError]) -> ZoneInfo | None:
    try:
        return zone_named(name)
    except BadTime as bad:
        errors.append(FieldError("time_zone", text("time.bad", what=bad.says)))
        return None


def _moment(
    field: str, at: datetime | str | None, zone: ZoneInfo | None, errors: list[FieldError]
) -> datetime | None:
    if at is None:
        return None
    try:
        return moment(at, zone)
    except BadTime as bad:
        errors.append(FieldError(field, text("time.bad", what=bad.says)))
        return None


def _wrong(
    name: str,
    zone: ZoneInfo | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    weekdays: Sequence[int],
    from_time: time | None,
    to_time: time | None,
) -> list[FieldError]:
    errors = []
    if not name.strip() or len(name) > 100:
        errors.append(FieldError("name", text("freeze_window.bad_name")))
    if weekdays and zone is None:
        errors.append(FieldError("time_zone", text("freeze_window.no_zone")))
    if not weekdays and (from_time is not None or to_time is not None):
        errors.append(FieldError("from_time", text("freeze_window.times_without_days")))
    if not weekdays and (starts_at is None or ends_at is None):
        errors.append(FieldError("starts_at", text("freeze_window.no_ends")))
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        errors.append(FieldError("ends_at", text("freeze_window.ends_before")))
    if any(day not in range(7) for day in weekdays):
        errors.append(FieldError("weekdays", text("freeze_window.bad_day")))
    if (from_time is None) != (to_time is None):
        errors.append(FieldError("from_time", text("freeze_window.one_time")))
    return errors


def _record(by: Actor, verb: str, window: FreezeWindow, reason: str) -> None:
    record(
        actor=by,
        act=f"freeze_windows.{verb}",
        object_kind="freeze_window",
        object_id=window.pk,
        object_name=window.name,
        reason=reason,
        details={"environment": window.environment or "everywhere"},
    )
