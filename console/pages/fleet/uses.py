"""Which config versions the fleet runs, and who runs another one than it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.pages.drawing.charts import BarPart, stacked_bar
from rollouts.models import ConfigVersion

SHOWN = 6
DRIFTED = "drifted"


@dataclass(frozen=True, slots=True)
class VersionUse:
    """One version with the agents that run it; `drifted` of them should run another one.

    `name` is "edge v2"; what is no version of ours has none and its hash, what nobody reports neither.
    `selector` finds these agents, "" where none can.
    """

    name: str
    config_hash: str
    selector: str
    count: int
    drifted: int
    bar: SafeString


@dataclass(frozen=True, slots=True)
class VersionUses:
    """The versions in use, the most used first; `more` are not listed, `drifted` are all who drifted."""

    rows: list[VersionUse]
    more: int
    drifted: int


def read(counts: Mapping[tuple[str, str], int]) -> VersionUses:
    """Return the uses from agents by (hash that runs, status word): one query, for the names."""
    totals: dict[str, int] = {}
    drifted: dict[str, int] = {}
    for (config_hash, word), number in counts.items():
        totals[config_hash] = totals.get(config_hash, 0) + number
        if word == DRIFTED:
            drifted[config_hash] = drifted.get(config_hash, 0) + number
    ordered = sorted(totals, key=lambda one: (not one, -totals[one], one))  # unknown comes last
    listed = ordered[:SHOWN]
    names = _names([one for one in listed if one])
    most = max(totals.values(), default=1)
    rows = [_use(one, names.get(one), totals[one], drifted.get(one, 0), most) for one in listed]
    return VersionUses(rows, len(ordered) - len(listed), sum(drifted.values()))


def _names(hashes: list[str]) -> dict[str, tuple[str, int]]:
    """Return config and number of these hashes; of versions with the same bytes the newest."""
    found = ConfigVersion.objects.filter(body_ref__in=hashes).order_by("pk")
    rows = found.values_list("body_ref_id", "config__name", "number")
    return {config_hash: (name, number) for config_hash, name, number in rows}


def _use(
    config_hash: str, known: tuple[str, int] | None, count: int, drifted: int, most: int
) -> VersionUse:
    name = f"{known[0]} v{known[1]}" if known else ""
    told = ngettext("%(n)d agent runs it", "%(n)d agents run it", count) % {"n": count}
    if drifted:
        told += ", " + _("%(n)d of them should run another version") % {"n": drifted}
    shown = name or (config_hash[:8] if config_hash else _("no config reported"))
    parts = [BarPart("run", count - drifted), BarPart("warn", drifted)]
    return VersionUse(
        name=name,
        config_hash=config_hash,
        selector=f"config={known[0]}@v{known[1]}" if known else "",
        count=count,
        drifted=drifted,
        bar=stacked_bar(parts, most, f"{shown}: {told}"),
    )
