"""Preflight: can everyone run it, and is there a proven way back for everyone (spec section 5).

A `block` forbids the start, a `note` is shown. Costs a few small queries whatever the fleet's size,
because agents come grouped by what they report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from agents.models import Agent, ComponentSet, ConfigBody, Quarantine
from console.lib.problems import Problem
from rollouts.configs.collector import KINDS, Collector, type_of
from rollouts.configs.findings import blocks
from rollouts.configs.parse import parse_config
from rollouts.eligibility import MAX_SAMPLES, Group
from rollouts.models import Config, ConfigVersion, Rollout
from rollouts.plans.metrics import Source
from rollouts.plans.plan import Criterion, Plan, Threshold

BLOCK, NOTE, OK = "block", "note", "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of preflight. `count` is how many agents it concerns, `samples` some names."""

    check: str
    level: str
    count: int
    text: str
    samples: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "samples": list(self.samples)}


def readiness(
    version: ConfigVersion,
    plan: Plan,
    groups: Sequence[Group],
    sizes: Sequence[tuple[str, int]],
) -> list[Finding]:
    """Return every finding, blocking ones first. `sizes` are (phase, new members)."""
    found = [
        *_config(version),
        *_targets(groups),
        *_components(version, groups),
        *_way_back(version, groups),
        *_connection(groups),
        *_plan(plan, sizes),
    ]
    if not found:
        found = [Finding("all", OK, sum(g.count for g in groups), "Every check passes.")]
    order = [BLOCK, NOTE, OK]
    return sorted(found, key=lambda one: order.index(one.level))


def last_completed(config: Config, *, other_than: str = "") -> ConfigVersion | None:
    """Return the version that the config's newest succeeded rollout delivered; `other_than` is the
    hash that is being left."""
    done = (
        Rollout.objects.filter(config=config, state="succeeded")
        .exclude(version__body_ref=other_than)
        .select_related("version")
        .order_by("-finished_at")
        .first()
    )
    return done.version if done is not None else None


@lru_cache(maxsize=64)
def components_of(config_hash: str) -> frozenset[str]:
    """Return what a stored body defines, e.g. {"processor:batch"}; empty for other formats."""
    body = ConfigBody.objects.get(pk=config_hash).body
    try:
        collector = Collector(parse_config(bytes(body)))
    except Problem:
        return frozenset()
    return frozenset(
        f"{kind}:{type_of(component)}"
        for section, kind in KINDS.items()
        for component in collector.components[section]
    )


def _config(version: ConfigVersion) -> Iterable[Finding]:
    broken = blocks(version.checks)
    if broken:
        yield Finding("config", BLOCK, 0, f"{version} has errors: {' '.join(broken[:3])}")
    fleet = Quarantine.objects.filter(
        config_hash=version.config_hash, agent=None, lifted_at=None
    ).first()
    if fleet is not None:
        yield Finding(
            "quarantine",
            BLOCK,
            0,
            f"{version} is quarantined for the whole fleet ({fleet.get_outcome_display().lower()}"
            f"{', ' + fleet.cause if fleet.cause else ''}); an approver can lift it with a reason.",
        )


def _targets(groups: Sequence[Group]) -> Iterable[Finding]:
    if not sum(group.count for group in groups):
        yield Finding("targets", BLOCK, 0, "No agent is eligible; see why each is left out.")


def _components(version: ConfigVersion, groups: Sequence[Group]) -> Iterable[Finding]:
    needed = components_of(version.config_hash)
    if not needed:
        return
    by_hash: Counter[str] = Counter()
    for group in groups:
        by_hash[group.components] += group.count
    known = {
        row.components_hash: frozenset(row.names)
        for row in ComponentSet.objects.filter(pk__in=[h for h in by_hash if h]).only("names")
    }
    lacking = {h: sorted(needed - names) for h, names in known.items() if needed - names}
    if lacking:
        names = sorted({name for missing in lacking.values() for name in missing})
        agents = sum(by_hash[h] for h in lacking)
        shown = ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")
        yield Finding(
            "components",
            BLOCK,
            agents,
            f"{agents:,} agents report no {shown}; they would refuse {version}.",
            _names("components_hash", lacking),
        )
    silent = sum(count for h, count in by_hash.items() if h not in known)
    if silent and known:
        yield Finding(
            "components", NOTE, silent, f"{silent:,} agents do not report their components."
        )


def _way_back(version: ConfigVersion, groups: Sequence[Group]) -> Iterable[Finding]:
    config = version.config
    running: Counter[str] = Counter()
    for group in groups:
        running[group.running] += group.count
    fresh = running.pop("", 0)
    back = last_completed(config, other_than=version.config_hash)
    if fresh and back is None:
        yield Finding(
            "previous_version",
            NOTE,
            fresh,
            f"{fresh:,} agents have no known-good version: they run no remote config, and "
            f"{config.name} has no completed version. A rollback leaves them alone.",
            _names("status__running_hash", [""]),
        )
    stored = set(ConfigBody.objects.filter(pk__in=list(running)).values_list("pk", flat=True))
    stored -= set(
        Quarantine.objects.filter(
            config_hash__in=list(stored), agent=None, lifted_at=None
        ).values_list("config_hash", flat=True)
    )
    lost = {h: count for h, count in running.items() if h not in stored}
    if lost:
        agents = sum(lost.values())
        yield Finding(
            "previous_version",
            NOTE,
            agents,
            f"{agents:,} agents run a version that is not stored here or is quarantined; a "
            + (f"rollback gives them {back}." if back else "rollback leaves them alone."),
            _names("status__running_hash", lost),
        )


def _connection(groups: Sequence[Group]) -> Iterable[Finding]:
    offline = sum(g.count for g in groups if not g.online)
    if offline:
        yield Finding(
            "offline", NOTE, offline, f"{offline:,} agents are offline; they get it on return."
        )
    ill = sum(g.count for g in groups if g.online and g.healthy is False)
    if ill:
        yield Finding(
            "health",
            NOTE,
            ill,
            f"{ill:,} agents are unhealthy already; that is not held against this rollout.",
        )
    mute = sum(g.count for g in groups if not g.reports)
    if mute:
        yield Finding(
            "reports",
            NOTE,
            mute,
            f"{mute:,} agents do not report config status; they count as timed out unless their "
            "effective config shows the version.",
        )


def _plan(plan: Plan, sizes: Sequence[tuple[str, int]]) -> Iterable[Finding]:
    if not plan.rollback.enabled:
        yield Finding("rollback", NOTE, 0, "Rollback is off: a failed gate pauses the rollout.")
    empty = [name for name, members in sizes if not members]
    if empty:
        yield Finding("phases", NOTE, 0, f"0 agents in {', '.join(empty)}: passes at once.")
    triggers = [trigger.name for trigger in plan.rollback.triggers]
    gates: list[Threshold | Criterion] = [*plan.thresholds]
    gates += [criterion for phase in plan.phases for criterion in phase.success_criteria]
    own = [gate.metric for gate in gates if gate.query or set(gate.sources) == {Source.PROMETHEUS}]
    if (triggers or own) and not settings.PROMETHEUS_URL:
        names = ", ".join(dict.fromkeys([*own, *triggers]))
        yield Finding(
            "sources",
            NOTE,
            0,
            f"{names}: nothing can answer this, because PROMETHEUS_URL is not set. Phases hold.",
        )


def _names(field: str, values: Iterable[str]) -> tuple[str, ...]:
    found = Agent.objects.filter(**{f"{field}__in": list(values)}).order_by("name")
    return tuple(found.values_list("name", flat=True)[:MAX_SAMPLES])
