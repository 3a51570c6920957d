"""What agents said of a version, ready to be drawn: one block for rollouts, approvals, agents and
quarantines (`templates/said/`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from console.lib.texts import said
from console.words import plain
from console.words import states as words
from rollouts.errors.apart import Apart, Suspect
from rollouts.errors.excluding import fact_text, without
from rollouts.errors.groups import Fault
from rollouts.errors.places import Place, PlaceChange
from rollouts.errors.report import ErrorReport, Located
from rollouts.models import ConfigVersion, Plan, Rollout

MAX_SAME = 4
# A group of agents that ran the version and were not well on it; the others are kinds of targets.
UNHEALTHY = words.AGENT["unhealthy"]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A line of the version, linked; `was` beside it, where the version before had something there."""

    place: Place
    url: str
    was_url: str
    before: str

    @property
    def is_inside(self) -> bool:
        """Whether what changed is below the line, not in it."""
        was = self.place.was
        return (
            self.place.change is PlaceChange.CHANGED
            and was is not None
            and was.text == self.place.line.text
        )


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group: how they failed, what was said first, the whole text, the lines."""

    group: Fault
    look: words.Look
    first: str
    whole: str
    places: list[PlaceView]

    @property
    def is_cut(self) -> bool:
        """Whether the whole text says more than the first line."""
        return self.whole.strip() != self.first


@dataclass(frozen=True, slots=True)
class CauseView:
    """What the failures have in common, and a new rollout without the agents that have it."""

    failed: str
    of: str
    passed: str
    of_passed: str
    says: str
    same_text: str
    selector: str
    url: str


@dataclass(frozen=True, slots=True)
class ErrorsView:
    """The block. `apart` is None where nothing was compared."""

    groups: list[GroupView]
    agents: int
    more: int
    apart: Apart | None
    causes: list[CauseView]

    def __bool__(self) -> bool:
        return bool(self.groups)


NO_ERRORS = ErrorsView([], 0, 0, None, [])


def view_of(report: ErrorReport, rollout: Rollout | None = None) -> ErrorsView:
    """Return the block; with a rollout its causes lead to one without the agents they are about."""
    is_saved = (
        bool(report.apart and rollout)
        and Plan.objects.filter(name=rollout.plan_name if rollout else "").exists()
    )
    return ErrorsView(
        groups=[group_view(one, report.version, report.before) for one in report.located],
        agents=report.agents,
        more=report.more,
        apart=report.apart,
        causes=_causes(report.apart, rollout, is_saved) if report.apart and rollout else [],
    )


def group_view(
    located: Located, version: ConfigVersion | None, before: ConfigVersion | None
) -> GroupView:
    """Return one group; its lines are linked to the pages of their versions."""
    group = located.group
    whole = said(group.text)
    return GroupView(
        group=group,
        look=words.TARGET.get(group.kind, UNHEALTHY),
        first=plain.first_line(whole),
        whole=whole,
        places=places_view(located.places, version, before),
    )


def places_view(
    places: Sequence[Place], version: ConfigVersion | None, before: ConfigVersion | None
) -> list[PlaceView]:
    """Return the lines with their addresses."""
    return [
        PlaceView(
            place=place,
            url=_line_url(version, place.line.number) if version else "",
            was_url=_line_url(before, place.was.number) if before and place.was else "",
            before=f"v{before.number}" if before else "",
        )
        for place in places
    ]


def _line_url(version: ConfigVersion, line: int) -> str:
    url = reverse("configs:version", args=[version.config.name, version.number])
    return f"{url}#L{line}"


def _causes(compared: Apart, rollout: Rollout, is_saved: bool) -> list[CauseView]:
    return [_cause(cause, compared, rollout, is_saved) for cause in compared.causes]


def _cause(cause: Suspect, compared: Apart, rollout: Rollout, is_saved: bool) -> CauseView:
    selector = without(rollout.selector, cause.fact)
    query = {
        "config": rollout.config.name,
        "version": rollout.version.number,
        "q": selector,
        "plan": rollout.plan_name if is_saved else "",
        "spread": rollout.spread_label,
        "title": _("%(number)s without %(fact)s")
        % {"number": rollout.number, "fact": plain.plain(fact_text(cause.fact), limit=60)},
        # Of one that still runs the new one takes over, with those that it has not reached.
        "when_busy": "supersede" if rollout.is_active else "",
    }
    return CauseView(
        failed=f"{cause.failed:,}",
        of=f"{compared.failed:,}",
        passed=f"{cause.passed:,}",
        of_passed=f"{compared.passed:,}",
        says=plain.plain(fact_text(cause.fact)),
        same_text=plain.plain(", ".join(map(fact_text, cause.same[:MAX_SAME]))),
        selector=selector,
        url=f"{reverse('rollouts:new')}?{urlencode({k: v for k, v in query.items() if v})}"
        if selector
        else "",
    )
