"""All configs: what of each is in use, who runs something else, how its last rollout ended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, F
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from accounts.policy import can
from agents.models import AgentStatus, Desired
from console.pages.configs.marks import KnownBad, marks
from console.pages.drawing.charts import BarPart, stacked_bar
from console.pages.frame.needs import HtmxRequest, needs
from rollouts.models import Config, ConfigVersion, Rollout
from rollouts.standing import Standing, running, standings

SHOWN = 4  # versions in use that are named
FILLS = ("run", "wait", "warn")  # of the versions in use, the most used first; the rest is `off`


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """One config. `uses` are versions by how many agents run them, most first; `drifted` should run
    one of its versions and run something else; `marks` are what is known against the newest one."""

    config: Config
    newest: ConfigVersion | None
    marks: list[KnownBad]
    agents: int
    uses: list[tuple[int, int]]
    bar: SafeString
    drifted: int
    last: Rollout | None

    @property
    def more(self) -> int:
        """How many versions in use are not named."""
        return max(0, len(self.uses) - SHOWN)


@require_GET
@needs("configs.view")
def config_list(request: HtmxRequest) -> HttpResponse:
    """List all configs by name."""
    context = {
        "rows": rows(request.actor),
        "shown": SHOWN,
        "may_write": can(request.actor, "configs.write"),
        "topics": ["configs", "fleet", "rollouts"],
        "follows": ["configs-changed", "fleet-changed", "rollouts-changed"],
    }
    return render(request, "configs/list.html", context)


def rows(actor: Actor) -> list[ConfigRow]:
    """Return a row of each config: nine queries, whatever their number."""
    reported = AgentStatus.objects.exclude(running_hash="").values_list("running_hash", flat=True)
    counts = running(reported.distinct())
    uses: dict[int, list[tuple[int, int]]] = defaultdict(list)
    held = ConfigVersion.objects.filter(body_ref__in=counts).order_by()
    for config_id, number, body in held.values_list("config_id", "number", "body_ref_id"):
        uses[config_id].append((number, counts[body]))
    newest = ConfigVersion.objects.order_by("config_id", "-number").distinct("config_id")
    by_config = {version.config_id: version for version in newest.select_related("author")}
    known = standings(list(by_config.values()), counts)
    drifted = _drifted()
    last = _last_rollouts(actor)
    return [
        _row(config, by_config.get(config.pk), uses[config.pk], drifted, last, known)
        for config in Config.objects.order_by("name")
    ]


def _row(
    config: Config,
    newest: ConfigVersion | None,
    uses: list[tuple[int, int]],
    drifted: dict[int, int],
    last: dict[int, Rollout],
    known: dict[int, Standing],
) -> ConfigRow:
    uses = sorted(uses, key=lambda use: (-use[1], -use[0]))
    agents = sum(count for _number, count in uses)
    return ConfigRow(
        config=config,
        newest=newest,
        marks=marks(known[newest.pk]) if newest is not None else [],
        agents=agents,
        uses=uses,
        bar=_bar(uses, agents),
        drifted=drifted.get(config.pk, 0),
        last=last.get(config.pk),
    )


def _bar(uses: list[tuple[int, int]], agents: int) -> SafeString:
    fills = [*FILLS, *["off"] * len(uses)]
    parts = [BarPart(fill, count) for fill, (_number, count) in zip(fills, uses, strict=False)]
    told = [
        ngettext("v%(v)d on %(n)d agent", "v%(v)d on %(n)d agents", count)
        % {"v": number, "n": count}
        for number, count in uses[:SHOWN]
    ]
    return stacked_bar(parts, agents, ", ".join(told) or _("No agent runs it."))


def _drifted() -> dict[int, int]:
    """Return how many agents should run a version of each config, and run something else."""
    apart = Desired.objects.filter(agent__retired_at=None).exclude(
        config_hash=F("agent__status__running_hash")
    )
    counted = dict(apart.order_by().values_list("config_hash").annotate(n=Count("pk")))
    found: dict[int, int] = defaultdict(int)
    versions = ConfigVersion.objects.filter(body_ref__in=counted).order_by()
    for config_id, body in versions.values_list("config_id", "body_ref_id"):
        found[config_id] += counted[body]
    return found


def _last_rollouts(actor: Actor) -> dict[int, Rollout]:
    """Return the newest rollout of each config that started."""
    begun = Rollout.objects.visible_to(actor).filter(started_at__isnull=False)
    newest = begun.order_by("config_id", "-started_at").distinct("config_id")
    found = newest.select_related("version").defer("plan", "preview")
    return {rollout.config_id: rollout for rollout in found}
