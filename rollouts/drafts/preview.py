"""Who would get a version, phase by phase: the same computation that freezes the draft, so that
the preview is the plan (spec section 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import Agent
from console.lib.texts import Text, said, text, to_json
from rollouts.drafts.asked import wanted
from rollouts.drafts.eligibility import REASON_TEXT, Excluded, Selection, select
from rollouts.drafts.finding import BLOCK, Finding
from rollouts.drafts.readiness import readiness
from rollouts.engine.floor import tolerated
from rollouts.engine.membership import (
    PhaseMembers,
    PhaseShare,
    assign,
    fingerprint,
    rest_of,
    rounding,
)
from rollouts.models import Config, ConfigVersion, Target
from rollouts.plans.plan import Plan
from rollouts.sql.eligible import MAX_SAMPLES, EligibilityQuery, Reason

REST = "rest"
WAITS = text("excluded.waits")


@dataclass(frozen=True, slots=True)
class PhasePreview:
    """One phase: who joins it (`new`), and how they spread over the label. `away` of them are not
    connected and get it when they return. `rounding` says how its share became a number of agents,
    `tolerated` how many may fail before it fails."""

    name: str
    weight: float
    manual: bool
    members: int
    new: tuple[int, ...]
    split: dict[str, int]
    samples: tuple[str, ...]
    duration_s: float
    away: int = 0
    rounding: Text | None = None
    tolerated: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another active rollout that holds some of the matched agents."""

    rollout: int
    number: str
    agents: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer to "who would get it"; `digest` names exactly this answer. `waits` are members of
    the last wave who are away: they block nothing, and get it when they return."""

    counted_at: datetime
    matched: int
    eligible: int
    digest: str
    phases: tuple[PhasePreview, ...]
    rest: tuple[int, ...]
    waits: tuple[Excluded, ...]
    excluded: tuple[Excluded, ...]
    conflicts: tuple[Conflict, ...]
    coverage: dict[str, Any]
    readiness: tuple[Finding, ...]

    @property
    def blocks(self) -> list[str]:
        """Sentences of what forbids the start."""
        return [said(finding.text) for finding in self.readiness if finding.level == BLOCK]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON shape of the wizard and the API."""
        return {
            "counted_at": self.counted_at.isoformat(),
            "matched": self.matched,
            "eligible": self.eligible,
            "digest": self.digest,
            "phases": [
                {
                    "name": phase.name,
                    "weight": phase.weight,
                    "manual": phase.manual,
                    "members": phase.members,
                    "new_members": len(phase.new),
                    "away": phase.away,
                    "rounding": to_json(phase.rounding or ""),
                    "tolerated_failures": phase.tolerated,
                    "split": phase.split,
                    "samples": list(phase.samples),
                    "duration_s": phase.duration_s,
                }
                for phase in self.phases
            ],
            "rest": len(self.rest),
            "waits": [_reason(one, WAITS) for one in self.waits],
            "excluded": [_reason(one, REASON_TEXT[one.reason]) for one in self.excluded],
            "conflicts": [
                {"rollout": one.rollout, "number": one.number, "agents": one.agents}
                for one in self.conflicts
            ],
            "coverage": self.coverage,
            "readiness": [finding.to_dict() for finding in self.readiness],
        }


def preview(
    *,
    config: str | Config,
    version: int | ConfigVersion | None,
    plan: str | Mapping[str, Any] | Plan,
    selector: str,
    seed: str,
    now: datetime,
    spread_label: str = "",
    when_busy: str = "refuse",
    retry_of: int | None = None,
    rollout_id: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Preview:
    """Count who would get a version. Raises Invalid, Missing; writes nothing."""
    asked = wanted(config, version, plan, selector, overrides)
    version, plan = asked.version, asked.plan
    question = EligibilityQuery(
        selector=asked.selector,
        config_hash=version.config_hash,
        seed=seed,
        spread_label=spread_label or plan.pace.spread,
        offline_after_s=plan.offline_exclude_after_s,
        rollout_id=rollout_id,
        retry_of=retry_of,
        busy_excluded=when_busy == "refuse",
    )
    shares = [PhaseShare(p.name, p.weight, p.selector or "") for p in plan.phases]
    selection = select(question, frozenset(share.selector for share in shares), now)
    members = assign(shares, selection.parts)
    rest = rest_of(selection.order, members) if plan.promote_rest else ()
    phases = _phases(plan, members, selection)
    waits, left = _away(selection, sum(phase.away for phase in phases), rest)
    sizes = [(phase.name, len(phase.new)) for phase in phases]
    findings = readiness(version, plan, selection.groups, sizes, selection.matched, asked.selector)
    return Preview(
        counted_at=now,
        matched=selection.matched,
        eligible=len(selection.order) - sum(one.count for one in left),
        digest=fingerprint(
            [version.config_hash, repr(plan), asked.selector, seed],
            [*(phase.new for phase in phases), rest],
        ),
        phases=phases,
        rest=rest,
        waits=waits,
        excluded=(*selection.excluded, *left),
        conflicts=conflicts(selection.order, rollout_id),
        coverage=_coverage(phases, selection, question.spread_label),
        readiness=tuple(findings),
    )


def _away(
    selection: Selection, in_phases: int, rest: Sequence[int]
) -> tuple[tuple[Excluded, ...], tuple[Excluded, ...]]:
    """Return the away who wait for the last wave, and those whom the plan never reaches."""
    line = selection.parts[""]
    away = set(line.ids[line.connected :])
    waiting = in_phases + len(away.intersection(rest))
    counts = (waiting, len(away) - waiting)
    waits, left = (
        (Excluded(Reason.AWAY, count, selection.away),) if count else () for count in counts
    )
    return waits, left


def _reason(one: Excluded, says: Text) -> dict[str, Any]:
    return {
        "reason": one.reason.value,
        "text": says.to_json(),
        "count": one.count,
        "samples": list(one.samples),
    }


def conflicts(agent_ids: Sequence[int], rollout_id: int | None) -> tuple[Conflict, ...]:
    """Return the other active rollouts that hold any of these agents."""
    held: Counter[int] = (
        Counter(
            Target.objects.filter(active=True, agent_id__in=list(agent_ids))
            .exclude(rollout_id=rollout_id or 0)
            .values_list("rollout_id", flat=True)
        )
        if agent_ids and _somebody_is_busy(rollout_id)
        else Counter()
    )
    return tuple(Conflict(pk, f"R-{pk:04d}", count) for pk, count in sorted(held.items()))


def _somebody_is_busy(rollout_id: int | None) -> bool:
    return Target.objects.filter(active=True).exclude(rollout_id=rollout_id or 0).exists()


def _phases(
    plan: Plan, members: Sequence[PhaseMembers], selection: Selection
) -> tuple[PhasePreview, ...]:
    sampled = [agent_id for phase in members for agent_id in phase.new[:MAX_SAMPLES]]
    line = selection.parts[""]
    away = set(line.ids[line.connected :])
    names = dict(Agent.objects.filter(pk__in=sampled).values_list("pk", "name"))
    return tuple(
        PhasePreview(
            name=spec.name,
            weight=spec.weight,
            manual=spec.is_manual,
            members=phase.reached,
            new=phase.new,
            split=_split(phase.new, selection.strata),
            samples=tuple(names[agent_id] for agent_id in phase.new[:MAX_SAMPLES]),
            duration_s=spec.duration_s,
            away=len(away.intersection(phase.new)),
            rounding=rounding(spec.weight, phase.matched),
            tolerated=tolerated(
                spec.pace.tolerated_failures, len(phase.new) - len(away.intersection(phase.new))
            ),
        )
        for spec, phase in zip(plan.phases, members, strict=True)
    )


def _split(agent_ids: Sequence[int], stratum: Mapping[int, str]) -> dict[str, int]:
    if not stratum:
        return {}
    return dict(Counter(map(stratum.__getitem__, agent_ids)).most_common())


def _coverage(phases: Sequence[PhasePreview], selection: Selection, label: str) -> dict[str, Any]:
    """Say which kinds of agents the first phase with members covers.

    A kind is a value of the spread label; without one it is a version, because what a canary most
    often misses is a collector of another version.
    """
    first = next((phase for phase in phases if phase.new), None)
    if first is None:
        return {}
    if selection.strata:
        kinds, covered = set(selection.strata.values()), set(first.split)
    else:
        label, kinds = "version", {group.version for group in selection.groups}
        covered = _versions(first.new) if len(first.new) < len(selection.order) else kinds
    missing = sorted(kinds - covered)
    return {
        "label": label,
        "phase": first.name,
        "kinds": len(kinds),
        "covered": len(kinds) - len(missing),
        "missing": missing[:MAX_SAMPLES],
        "text": _covers(first.name, label, len(kinds), missing).to_json(),
    }


def _versions(agent_ids: Sequence[int]) -> set[str]:
    agents = Agent.objects.filter(pk__in=agent_ids)
    return set(agents.order_by().values_list("version", flat=True).distinct())


def _covers(phase: str, label: str, kinds: int, missing: Sequence[str]) -> Text:
    """Say it: `canary covers 9 of 11 kinds of region; not covered: ap-1, ap-2.`"""
    return text(
        "preview.covers",
        phase=phase,
        covered=kinds - len(missing),
        kinds=kinds,
        label=label,
        missing=[name or text("preview.no_value") for name in missing[:MAX_SAMPLES]],
        more=max(0, len(missing) - MAX_SAMPLES),
    )
