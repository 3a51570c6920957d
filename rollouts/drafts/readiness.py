"""Preflight: can everyone run it, and is there a proven way back for everyone (spec section 5).

A `block` forbids the start, a `note` is shown. Costs a few small queries whatever the fleet's size,
because agents come grouped by what they report. A finding about agents says which by its `concern`;
`rollouts.drafts.finding_agents` lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from django.conf import settings
from django.db.models import Q, QuerySet

from agents.models import ConfigBody, Quarantine
from agents.selectors.grammar import parse
from console.lib.texts import Text, in_line, text
from rollouts.drafts import config_findings, signatures
from rollouts.drafts.eligibility import Group
from rollouts.drafts.finding import BLOCK, NOTE, OK, Finding, agents_with
from rollouts.drafts.finding_agents import concern, group_of, groups_of, targets_of
from rollouts.models import Config, ConfigVersion, Rollout, Target
from rollouts.plans.guards import TITLES, default_guards
from rollouts.plans.metrics import Source
from rollouts.plans.plan import Criterion, Plan, Threshold
from rollouts.selectors import labels_nobody_has

# The checks that are about single agents.
ABOUT_AGENTS = (
    *("components", "components_unknown", "previous_version", "previous_version_lost"),
    *("previous_version_kept", "previous_version_unsigned"),
    *("offline", "health", "reports"),
)


def readiness(
    version: ConfigVersion,
    plan: Plan,
    groups: Sequence[Group],
    sizes: Sequence[tuple[str, int]],
    matched: int,
    selector: str = "",
) -> list[Finding]:
    """Return every finding, blocking ones first. `sizes` are (phase, new members); `matched` counts
    the agents the selector means, eligible or not; `selector` is given while who is in is open."""
    found = [
        *config_findings.of_text(version, plan),
        *signatures.of_version(version),
        *_quarantine(version),
        *_targets(groups, matched),
        *(_labels(plan, selector) if selector else ()),
        *config_findings.components(version, groups),
        *_way_back(version, groups),
        *_kept(version, groups),
        *signatures.of_ways_back(groups),
        *_connection(groups),
        *_plan(plan, sizes),
    ]
    if not found:
        found = [Finding("all", OK, sum(g.count for g in groups), text("finding.all_pass"))]
    order = [BLOCK, NOTE, OK]
    return sorted(found, key=lambda one: order.index(one.level))


def readiness_of(rollout: Rollout) -> list[Finding]:
    """Return the findings of a rollout's own targets as they are now."""
    plan = Plan.from_dict(rollout.plan)
    rollout.version.config = rollout.config  # the same row, which is read already
    phases = sorted(rollout.phases.all(), key=lambda phase: phase.index)
    sizes = [(phase.name, phase.counts.get("members", 0)) for phase in phases if not phase.is_rest]
    matched = int(rollout.preview.get("matched", 0))
    return readiness(rollout.version, plan, groups_of(targets_of(rollout)), sizes, matched)


def targets_with(rollout: Rollout, findings: Iterable[Finding]) -> QuerySet[Target]:
    """Return the targets that any of these findings is about, with their facts."""
    about = [finding.concern.q() for finding in findings if finding.concern is not None]
    return targets_of(rollout).filter(reduce(or_, about, Q(pk__in=[])))


def about(target: Target, findings: Iterable[Finding]) -> list[Finding]:
    """Return those findings that are about this target, which carries its facts."""
    facts = group_of(target)
    return [f for f in findings if f.concern is not None and f.concern.holds(facts)]


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


def _quarantine(version: ConfigVersion) -> Iterable[Finding]:
    fleet = Quarantine.objects.filter(
        config_hash=version.config_hash, agent=None, lifted_at=None
    ).first()
    if fleet is not None:
        yield Finding(
            "quarantine",
            BLOCK,
            0,
            text(
                "finding.quarantine",
                version=str(version),
                outcome=fleet.outcome,
                cause=fleet.cause,
            ),
        )


def _targets(groups: Sequence[Group], matched: int) -> Iterable[Finding]:
    if not matched:
        yield Finding("targets", BLOCK, 0, text("finding.nobody_matches"))
    elif not sum(group.count for group in groups):
        yield Finding("targets", BLOCK, 0, text("finding.nobody_eligible"))


def _labels(plan: Plan, selector: str) -> Iterable[Finding]:
    """A label that nobody has is most often a typo, and `nmae!=x` means everybody."""
    asked = [selector, *(phase.selector for phase in plan.phases if phase.selector)]
    missing = in_line(one.says for one in labels_nobody_has(map(parse, dict.fromkeys(asked))))
    if isinstance(missing, Text):
        yield Finding("labels", NOTE, 0, missing)


@dataclass(frozen=True)
class _Back:
    """The version that agents without a way back of their own get; read when it is asked for."""

    config: Config
    left: str

    @cached_property
    def version(self) -> ConfigVersion | None:
        return last_completed(self.config, other_than=self.left)


def _way_back(version: ConfigVersion, groups: Sequence[Group]) -> Iterable[Finding]:
    config = version.config
    running = {group.running for group in groups}
    back = _Back(config, version.config_hash)
    if "" in running and back.version is None:
        whom = concern(running=[""])
        fresh = whom.count(groups)
        yield Finding(
            "previous_version",
            NOTE,
            fresh,
            text("finding.previous_version", agents=fresh, config=config.name),
            agents_with("status__running_hash", [""]),
            whom,
        )
    kept_from_all = Quarantine.objects.filter(agent=None, lifted_at=None).values("config_hash")
    deliverable = ConfigBody.objects.filter(pk__in=running).exclude(pk__in=kept_from_all)
    lost = running - set(deliverable.values_list("pk", flat=True)) - {""}
    if lost:
        whom = concern(running=lost)
        agents = whom.count(groups)
        yield Finding(
            "previous_version_lost",
            NOTE,
            agents,
            text("finding.previous_version_lost", agents=agents, back=_named(back.version)),
            agents_with("status__running_hash", lost),
            whom,
        )


def _kept(version: ConfigVersion, groups: Sequence[Group]) -> Iterable[Finding]:
    """What an agent runs may be quarantined for itself: then a rollback cannot give it that."""
    whom = concern(kept=[True])
    agents = whom.count(groups)
    if not agents:
        return
    back = last_completed(version.config, other_than=version.config_hash)
    yield Finding(
        "previous_version_kept",
        NOTE,
        agents,
        text("finding.previous_version_kept", agents=agents, back=_named(back)),
        concern=whom,
    )


def _named(back: ConfigVersion | None) -> str:
    """Return the version that a rollback gives agents without a way back of their own, or ""."""
    return str(back) if back is not None else ""


def _connection(groups: Sequence[Group]) -> Iterable[Finding]:
    for check, code, whom in (
        ("offline", "finding.offline", concern(online=[False])),
        ("health", "finding.health", concern(online=[True], healthy=[False])),
        ("reports", "finding.reports", concern(reports=[False])),
    ):
        if agents := whom.count(groups):
            yield Finding(check, NOTE, agents, Text(code, {"agents": agents}), concern=whom)


def _plan(plan: Plan, sizes: Sequence[tuple[str, int]]) -> Iterable[Finding]:
    if not plan.rollback.enabled:
        yield Finding("rollback", NOTE, 0, text("finding.rollback_off"))
    empty = [name for name, members in sizes if not members]
    if empty:
        yield Finding("phases", NOTE, 0, text("finding.empty_phases", phases=empty))
    for name, _, choice in default_guards(plan):
        if not choice.enabled:
            says = text("finding.not_watched", guard=TITLES[name], reason=choice.reason)
            yield Finding("guards", NOTE, 0, says)
    triggers = [trigger.name for trigger in plan.rollback.triggers]
    gates: list[Threshold | Criterion] = [*plan.thresholds]
    gates += [criterion for phase in plan.phases for criterion in phase.success_criteria]
    own = [gate.metric for gate in gates if gate.query or set(gate.sources) == {Source.PROMETHEUS}]
    if (triggers or own) and not settings.PROMETHEUS_URL:
        names = list(dict.fromkeys([*own, *triggers]))
        yield Finding("sources", NOTE, 0, text("finding.nobody_answers", names=names))
