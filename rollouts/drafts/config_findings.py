"""What preflight says of the config itself: what is wrong in its text, and whose build lacks what
it uses.

The text is checked again at each start, not read from what its upload was told: a body does not
change, but what we know to be wrong does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agents.components import lacking
from agents.models import ComponentSet, ConfigBody
from console.lib.problems import Problem
from console.lib.texts import Text, in_line, text
from rollouts.configs import findings as configs
from rollouts.configs.checks import check_config
from rollouts.configs.collector import KINDS, Collector, type_of
from rollouts.configs.findings import Check, Severity
from rollouts.configs.parse import parse_config
from rollouts.drafts.eligibility import Group
from rollouts.drafts.finding import BLOCK, NOTE, Finding, agents_with
from rollouts.drafts.finding_agents import concern
from rollouts.models import ConfigVersion
from rollouts.plans.metrics import Source
from rollouts.plans.plan import Criterion, Plan, Threshold

_SHOWN = 3  # sentences of one rule
_NEEDS_OWN_METRICS = (Source.OWN_METRICS, Source.PROMETHEUS)


@dataclass(frozen=True, slots=True)
class Read:
    """A stored body: the component types it defines (`processor:batch`), and what is wrong."""

    components: frozenset[str]
    findings: tuple[configs.ConfigFinding, ...]


@lru_cache(maxsize=64)
def read(config_hash: str) -> Read:
    """Read a stored body; one of another format defines nothing and has nothing wrong."""
    body = ConfigBody.objects.get(pk=config_hash).body
    try:
        document = parse_config(bytes(body))
    except Problem:
        return Read(frozenset(), ())
    collector = Collector(document)
    components = frozenset(
        f"{kind}:{type_of(component)}"
        for section, kind in KINDS.items()
        for component in collector.components[section]
    )
    bad = [f for f in check_config(document) if f.level in (Severity.ERROR, Severity.WARNING)]
    return Read(components, tuple(bad))


def of_text(version: ConfigVersion, plan: Plan) -> Iterator[Finding]:
    """Yield one finding for all that no collector can run, and one for each other broken rule."""
    found = read(version.config_hash).findings
    final = [finding for finding in found if finding.is_final]
    if final:
        says = text("finding.config_cannot_run", version=str(version), what=_sentences(final))
        yield Finding("config", BLOCK, 0, says)
    rules: dict[Check, list[configs.ConfigFinding]] = defaultdict(list)
    for finding in found:
        if not finding.is_final:
            rules[finding.check].append(finding)
    for check, broken in rules.items():
        errors = [finding for finding in broken if finding.level is Severity.ERROR]
        gates = _gates_without_data(plan) if check is Check.TELEMETRY else []
        says = text(
            "finding.config_rule",
            version=str(version),
            what=_sentences(errors or broken),
            gates=gates,
        )
        level = BLOCK if errors else NOTE
        yield Finding(f"config_{check.value}", level, 0, says, can_override=True)


def _sentences(found: Sequence[configs.ConfigFinding]) -> Text | str:
    says = [
        text("yaml.on_line", line=one.line, what=one.says) if one.line else one.says
        for one in found[:_SHOWN]
    ]
    more = sum(finding.count for finding in found[_SHOWN:])
    return in_line([*says, *([text("finding.config_more", more=more)] if more else [])])


def _gates_without_data(plan: Plan) -> list[str]:
    """Return which gates read what agents report of themselves."""
    gates: list[Threshold | Criterion] = [*plan.thresholds]
    gates += [criterion for phase in plan.phases for criterion in phase.success_criteria]
    names = [gate.metric for gate in gates if set(gate.sources) & set(_NEEDS_OWN_METRICS)]
    names += [trigger.name for trigger in plan.rollback.triggers]
    return list(dict.fromkeys(names))


def components(version: ConfigVersion, groups: Sequence[Group]) -> Iterable[Finding]:
    """Yield who would refuse the config for want of a component, and of whom that is not known.

    An agent that reports its components no more is not judged by those it reported once.
    """
    needed = read(version.config_hash).components
    if not needed:
        return
    hashes = {group.components for group in groups}
    known = {
        row.components_hash: frozenset(row.names)
        for row in ComponentSet.objects.filter(pk__in=[h for h in hashes if h]).only("names")
    }
    without = {h: missing for h, names in known.items() if (missing := lacking(needed, names))}
    if without:
        names = sorted({name for missing in without.values() for name in missing})
        whom = concern(components=without)
        agents = whom.count(groups)
        says = text(
            "finding.components",
            agents=agents,
            names=names[:5],
            more=len(names) > 5,
            version=str(version),
        )
        yield Finding(
            "components",
            BLOCK,
            agents,
            says,
            agents_with("components_hash", without),
            whom,
            can_override=True,
        )
    if known and hashes - known.keys():
        whom = concern(components=hashes - known.keys())
        agents = whom.count(groups)
        says = text("finding.components_unknown", agents=agents)
        yield Finding("components_unknown", NOTE, agents, says, concern=whom)
