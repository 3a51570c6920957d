"""How the certificates of the fleet stand, in numbers: for the head of the page and for metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from certs.models import Certificate, RotationPause
from certs.rotation.states import OPEN_STATES, CertificateState

_S = CertificateState
# Up to which end certificates in use are counted together; the address names it in days.
WITHIN_DAYS = (1, 3, 7, 30)
RATED_OVER = timedelta(days=30)
RESULTS = ("installed", "failed", "rolled_back", "expired")


@dataclass(frozen=True, slots=True)
class Ending:
    """How many in use end within so many days (0: later), and not within the step before."""

    days: int
    count: int


@dataclass(frozen=True, slots=True)
class CertificateNumbers:
    """`success_rate` is a share of 1 over 30 days, None before anything was tried (security.md R29)."""

    in_use: int
    on_the_way: int
    waits_for_person: int
    ends: list[Ending]
    success_rate: float | None
    pause: RotationPause | None

    @property
    def is_empty(self) -> bool:
        return not (self.in_use or self.on_the_way)


def standing(certificates: QuerySet[Certificate], now: datetime) -> CertificateNumbers:
    """Count the certificates somebody may see: two queries, whatever the fleet."""
    in_use = Q(state=_S.INSTALLED)
    numbers = certificates.aggregate(
        in_use=Count("pk", filter=in_use),
        on_the_way=Count("pk", filter=Q(state__in=sorted(OPEN_STATES))),
        waits=Count("pk", filter=Q(state=_S.PENDING, is_approved=False)),
        **{
            f"within_{days}": Count(
                "pk", filter=in_use & Q(not_after__lt=now + timedelta(days=days))
            )
            for days in WITHIN_DAYS
        },
        **_results(now - RATED_OVER),
    )
    ends, before = [], 0
    for days in WITHIN_DAYS:
        ends.append(Ending(days, numbers[f"within_{days}"] - before))
        before = numbers[f"within_{days}"]
    ends.append(Ending(0, numbers["in_use"] - before))
    tried = sum(numbers[f"result_{name}"] for name in RESULTS)
    return CertificateNumbers(
        in_use=numbers["in_use"],
        on_the_way=numbers["on_the_way"],
        waits_for_person=numbers["waits"],
        ends=ends,
        success_rate=numbers["result_installed"] / tried if tried else None,
        pause=RotationPause.objects.filter(ended_at=None).first(),
    )


def results() -> dict[str, int]:
    """Return how certificates that were offered ended, over all time, by result."""
    found = Certificate.objects.aggregate(**_results(None))
    return {name: found[f"result_{name}"] for name in RESULTS}


def soonest_end() -> datetime | None:
    """Return when the next certificate in use ends."""
    found = Certificate.objects.filter(state=_S.INSTALLED).aggregate(end=Min("not_after"))
    end: datetime | None = found["end"]
    return end


def _results(since: datetime | None) -> dict[str, Count]:
    recent = Q() if since is None else Q(created_at__gte=since)
    was_in_use = Q(installed_at__isnull=False)
    conditions = {
        "installed": was_in_use,
        "failed": Q(state=_S.FAILED),
        "rolled_back": Q(state=_S.ROLLED_BACK),
        "expired": Q(state=_S.EXPIRED, installed_at=None),
    }
    return {
        f"result_{name}": Count("pk", filter=recent & condition)
        for name, condition in conditions.items()
    }
