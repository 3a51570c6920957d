"""What the fleet looked like over time: one row of counts every two minutes, kept for eight days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models import Count

from agents.models import Agent, FleetSample
from agents.models.status import late_q

EVERY = timedelta(minutes=2)
KEPT = timedelta(days=8)  # a day to look at, and the same day of last week beside it
OFFLINE = "offline"


def slot_of(now: datetime) -> datetime:
    """Return the beginning of the two minutes that `now` is in: the time of their sample."""
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(EVERY.total_seconds()), UTC)


def sample(now: datetime) -> bool:
    """Count the fleet once, unless this was done in these two minutes; forget what is old.

    One pass over the living agents. Returns whether a row was written.
    """
    at = slot_of(now)
    if FleetSample.objects.filter(at=at).exists():
        return False
    words = Agent.objects.living().with_status_word(now).order_by().values_list("status_word")
    rows = list(words.annotate(n=Count("pk"), late=Count("pk", filter=late_q(now))))
    counts = {word: number for word, number, _late in rows}
    row = FleetSample(
        at=at,
        total=sum(counts.values()),
        offline=counts.get(OFFLINE, 0),
        # Whose gateway is gone counts as offline, though its row still says connected.
        late=sum(late for word, _number, late in rows if word != OFFLINE),
        counts=counts,
    )
    # A second beat may have written it meanwhile: then it is there, which is all we want.
    FleetSample.objects.bulk_create([row], ignore_conflicts=True)
    FleetSample.objects.filter(at__lt=now - KEPT).delete()
    return True


def since(at: datetime) -> list[FleetSample]:
    """Return the samples from a time on, oldest first."""
    return list(FleetSample.objects.filter(at__gte=at).order_by("at"))


def about(samples: list[FleetSample], at: datetime) -> FleetSample | None:
    """Return of samples, oldest first, the one that says how it was at a time: the newest that is not
    younger; None when that is far older."""
    known = [one for one in samples if at - 5 * EVERY < one.at <= at]
    return known[-1] if known else None
