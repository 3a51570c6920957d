"""Quarantines of one version as one row: the whole fleet, and so many agents that refused it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils.translation import ngettext

from agents.models import Quarantine
from console.pages.configs.names import ConfigName, names_of
from console.pages.said import GroupView, group_view
from rollouts.errors import report, said
from rollouts.errors.report import Located
from rollouts.models import ConfigVersion

MOST = 100
LIVE = Q(lifted_at=None)


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A hash that is kept from somebody. `whole` is the quarantine of the fleet; `agents` says how many
    and why, a line for each reason; `lifted` were lifted before."""

    name: ConfigName
    whole: Quarantine | None
    agents: list[str]
    number: int
    lifted: int
    cause: str
    at: datetime
    groups: list[GroupView]

    @property
    def is_live(self) -> bool:
        """Whether somebody is kept from it now."""
        return self.whole is not None or self.number > 0


def rows(*, with_lifted: bool) -> list[KeptVersion]:
    """Return the versions, the newest quarantine first, MOST of them: six queries in all."""
    kept = Quarantine.objects.all()
    if not with_lifted:
        kept = kept.filter(LIVE)
    newest = kept.values_list("config_hash").annotate(last=Max("pk")).order_by("-last")
    return _made([config_hash for config_hash, _ in newest[:MOST]])


def row_of(config_hash: str) -> KeptVersion | None:
    """Return one version, None when it was never quarantined."""
    return next(iter(_made([config_hash])), None)


def _made(hashes: Sequence[str]) -> list[KeptVersion]:
    of_these = Quarantine.objects.filter(config_hash__in=hashes)
    whole = {one.config_hash: one for one in of_these.filter(LIVE, agent=None)}
    by_outcome: dict[str, dict[str, int]] = defaultdict(dict)
    counted = of_these.filter(LIVE).exclude(agent=None).values_list("config_hash", "outcome")
    for config_hash, outcome, number in counted.annotate(n=Count("pk")).order_by("outcome"):
        by_outcome[config_hash][outcome] = number
    lifted = dict(
        of_these.exclude(LIVE).values_list("config_hash").annotate(n=Count("pk")).order_by()
    )
    newest = {
        one.config_hash: one
        for one in of_these.order_by("config_hash", "-pk").distinct("config_hash")
    }
    names, groups = names_of(hashes), groups_of(hashes)
    return [
        KeptVersion(
            name=names[config_hash],
            whole=whole.get(config_hash),
            agents=[_told(outcome, n) for outcome, n in by_outcome[config_hash].items()],
            number=sum(by_outcome[config_hash].values()),
            lifted=lifted.get(config_hash, 0),
            cause=newest[config_hash].cause,
            at=newest[config_hash].at,
            groups=groups.get(config_hash, []),
        )
        for config_hash in hashes
        if config_hash in newest
    ]


def groups_of(hashes: Sequence[str]) -> dict[str, list[GroupView]]:
    """Return what agents said that are kept from these hashes, with the lines of the newest version
    that each is: two queries, and one more for each text not read before."""
    faults = said.of_quarantined(hashes)
    versions = {
        version.config_hash: version
        for version in ConfigVersion.objects.filter(body_ref__in=faults)
        .select_related("config")
        .order_by("pk")
    }
    return {
        config_hash: [
            group_view(
                Located(one, report.locate(one.text, config_hash)), versions.get(config_hash), None
            )
            for one in of.groups
        ]
        for config_hash, of in faults.items()
    }


def _told(outcome: str, number: int) -> str:
    """Return "20 agents that refused it"."""
    words = {
        "failed": ngettext("{n} agent that refused it", "{n} agents that refused it", number),
        "timed_out": ngettext(
            "{n} agent that did not answer", "{n} agents that did not answer", number
        ),
        "fell_back": ngettext(
            "{n} agent that fell back by itself", "{n} agents that fell back by themselves", number
        ),
        "rolled_back": ngettext(
            "{n} agent that was rolled back", "{n} agents that were rolled back", number
        ),
        "by_hand": ngettext(
            "{n} agent that a person chose", "{n} agents that a person chose", number
        ),
    }
    return words[outcome].format(n=f"{number:,}")
