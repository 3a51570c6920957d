"""Which agents a finding of readiness is about: one condition, asked of groups and of rows.

Facts are named as the fields of `eligibility.Group`, so what is counted and what is listed is the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from agents.models import Quarantine
from agents.opamp.bits import REPORTS_AVAILABLE_COMPONENTS, REPORTS_REMOTE_CONFIG
from rollouts.drafts.eligibility import Group
from rollouts.models import Rollout, Target

_FACTS = ("version", "components", "running", "online", "healthy", "reports", "kept")


@dataclass(frozen=True, slots=True)
class Concern:
    """Agents each of whose named facts is one of the values given for it."""

    facts: Mapping[str, frozenset[Any]]

    def holds(self, group: Group) -> bool:
        return all(getattr(group, name) in values for name, values in self.facts.items())

    def count(self, groups: Iterable[Group]) -> int:
        return sum(group.count for group in groups if self.holds(group))

    def q(self) -> Q:
        """Return the condition on rows that carry their facts (`with_facts`)."""
        return Q(**{f"fact_{name}__in": list(values) for name, values in self.facts.items()})


def concern(**facts: Iterable[Any]) -> Concern:
    """Write one down: `concern(online=[True], healthy=[False])`."""
    return Concern({name: frozenset(values) for name, values in facts.items()})


def with_facts(rows: QuerySet[Any], agent: str, running: str) -> QuerySet[Any]:
    """Put an agent's facts beside each row; `agent` is the way from the row to it ("agent__"),
    `running` the field that says what it runs, or ran before it was touched."""
    found: QuerySet[Any] = rows.annotate(
        bits=F(f"{agent}capabilities").bitand(REPORTS_REMOTE_CONFIG),
        component_bits=F(f"{agent}capabilities").bitand(REPORTS_AVAILABLE_COMPONENTS),
        fact_version=F(f"{agent}version"),
        fact_components=Case(
            When(component_bits=0, then=Value("")), default=F(f"{agent}components_hash")
        ),
        fact_running=F(running),
        fact_online=Coalesce(F(f"{agent}status__connected"), False),
        fact_healthy=F(f"{agent}status__healthy"),
        fact_kept=Exists(
            Quarantine.objects.filter(
                agent=OuterRef(f"{agent}pk"), config_hash=OuterRef(running), lifted_at=None
            )
        ),
        fact_reports=Case(When(bits=0, then=Value(False)), default=Value(True)),
    )
    return found


def targets_of(rollout: Rollout) -> QuerySet[Target]:
    """Return the targets with their facts; what each ran before counts as what it runs."""
    return with_facts(Target.objects.filter(rollout=rollout), "agent__", "previous_hash")


def groups_of(targets: QuerySet[Target]) -> list[Group]:
    """Count targets that are alike: one query."""
    names = [f"fact_{name}" for name in _FACTS]
    rows = targets.order_by().values_list(*names).annotate(count=Count("pk"))
    return [_group(row[:-1], row[-1]) for row in rows]


def group_of(target: Any) -> Group:
    """Return the facts of one target as a group of one."""
    return _group([getattr(target, f"fact_{name}") for name in _FACTS], 1)


def _group(facts: Sequence[Any], count: int) -> Group:
    return Group(**dict(zip(_FACTS, facts, strict=True)), count=count)
