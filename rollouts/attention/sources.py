"""Where each kind of thing that needs a person is found, as rows of (kind, subject, facts).

`subject` names the thing, `facts` is what somebody who acknowledges it has seen: when the facts
change, the thing is new again. All kinds together are one statement, because every page counts them.
Nothing here reads the whole fleet: who is away or late is taken from the newest sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import MD5, Cast, Coalesce, Concat

from accounts.actor import Actor
from agents.models import Agent, AgentStatus, FleetSample, GatewayLease, Quarantine, RefusedAgent
from agents.refused import STILL
from rollouts.engine.states import RolloutState
from rollouts.models import Acknowledgement, Approval, Rollback, Rollout


class SourceKind(StrEnum):
    """What can need a person, worst first."""

    ENGINE_LATE = "engine_late"
    NO_GATEWAY = "no_gateway"
    TICK_ERROR = "tick_error"
    ROLLBACK_TICK_ERROR = "rollback_tick_error"
    ROLLED_BACK = "rolled_back"
    NOT_BACK = "not_back"
    AGENTS_AWAY = "agents_away"
    AGENTS_LATE = "agents_late"
    WEDGED = "wedged"
    REJECTED = "rejected"
    PAUSED = "paused"
    HOLDING = "holding"
    EXPIRED = "expired"
    EXPIRING = "expiring"
    QUARANTINED = "quarantined"
    REFUSED_VERSION = "refused_version"
    AT_THE_DOOR = "at_the_door"


SEEN = "seen"  # stands as kind in rows of acknowledgements
KEPT = timedelta(days=30)  # how long a rollback that nobody acknowledged is asked about
LATE = timedelta(seconds=60)  # more than any loop waits by itself
SOON = timedelta(hours=2)  # before a question expires
FRESH = timedelta(minutes=10)  # how old a sample may be that says who is away
AWAY_FROM = (80, 40, 20, 10)  # per cent of agents that are away or late: each step is news
AWAY_LEAST = 2  # agents
# Why lines of rollouts that go on only when something happens that nobody promised.
HOLDS = (
    "why.nobody_left",
    "why.all_away",
    "why.quorum",
    "why.a_gate_silent",
    "why.no_data",
    "why.too_few",
    "why.warning",
    "why.withdrawn",
    "why.not_ready",
)

Rows = QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One thing that needs a person, as far as counting goes."""

    kind: str
    subject: str
    facts: str


def _text(what: Any) -> Cast:
    return Cast(what, CharField())


def _rows(found: QuerySet[Any], kind: str, subject: Any, facts: Combinable) -> Rows:
    """Return `found` as rows; `subject` and `facts` are expressions over it."""
    named = found.order_by().annotate(
        need_kind=Value(kind, CharField()), need_subject=_text(subject), need_facts=_text(facts)
    )
    rows: Rows = named.values_list("need_kind", "need_subject", "need_facts")
    return rows


def _one(found: QuerySet[Any], kind: str, facts: Any, **only: Any) -> Rows:
    """Return one row for all of `found` together; none when there is nothing, or `only` is not so.

    `facts` and the values of `only` are aggregates: `only` compares them, as `filter` does.
    """
    named = found.order_by().annotate(need_kind=Value(kind, CharField()))
    grouped = named.values("need_kind").annotate(need_subject=Value("all", CharField()))
    counted = grouped.annotate(need_facts=_text(facts), need_n=Count("pk")).filter(need_n__gte=1)
    for name, (aggregate, wanted) in only.items():
        counted = counted.annotate(**{name: aggregate}).filter(**{name: wanted})
    rows: Rows = counted.values_list("need_kind", "need_subject", "need_facts")
    return rows


def _rolled_back(actor: Actor, now: datetime) -> Rows:
    found = Rollback.objects.filter(
        kind=Rollback.Kind.AUTOMATIC,
        decided_at__gte=now - KEPT,
        rollout__in=Rollout.objects.visible_to(actor),
    )
    return _rows(found, SourceKind.ROLLED_BACK, "rollout_id", F("state"))


def _not_back(actor: Actor, now: datetime) -> Rows:
    found = Rollback.objects.filter(state="incomplete").exclude(kind=Rollback.Kind.AUTOMATIC)
    return _rows(found, SourceKind.NOT_BACK, "pk", F("state"))


def _paused(actor: Actor, now: datetime) -> Rows:
    newest = Approval.objects.filter(phase__rollout=OuterRef("pk")).order_by("-pk")
    found = Rollout.objects.visible_to(actor).filter(state=RolloutState.PAUSED)
    times = Coalesce(Max("events__seq", filter=Q(events__act="pause")), 0)
    answered = Subquery(newest.values("state")[:1])
    kind = Case(
        When(question="rejected", then=Value(SourceKind.REJECTED.value)),
        When(question="expired", then=Value(SourceKind.EXPIRED.value)),
        default=Value(SourceKind.PAUSED.value),
        output_field=CharField(),
    )
    named = found.order_by().annotate(question=answered, need_kind=kind)
    facts = named.annotate(need_subject=_text("pk"), need_facts=_text(times))
    rows: Rows = facts.values_list("need_kind", "need_subject", "need_facts")
    return rows


def _holding(actor: Actor, now: datetime) -> Rows:
    found = Rollout.objects.visible_to(actor).filter(
        Q(state__in=(RolloutState.RUNNING, RolloutState.COMPLETING, RolloutState.SCHEDULED)),
        why__say__text__in=HOLDS,
        tick_error="",
    )
    facts = Concat(KT("why__say__text"), Value(" "), _text("current_phase"))
    return _rows(found, SourceKind.HOLDING, "pk", facts)


def _expiring(actor: Actor, now: datetime) -> Rows:
    found = Approval.objects.visible_to(actor).waiting().filter(expires_at__lt=now + SOON)
    return _rows(found, SourceKind.EXPIRING, "pk", Value("soon"))


def _quarantined(actor: Actor, now: datetime) -> Rows:
    """What is kept from the fleet, unless a person did that, or a rollback says so already."""
    told = Rollback.objects.filter(
        kind=Rollback.Kind.AUTOMATIC,
        rollout__version__body_ref=OuterRef("config_hash"),
        decided_at__range=(OuterRef("at") - timedelta(minutes=1), OuterRef("at") + timedelta(minutes=1)),
    )  # fmt: skip
    found = Quarantine.objects.filter(agent=None, lifted_at=None).exclude(outcome="by_hand")
    return _rows(found.exclude(Exists(told)), SourceKind.QUARANTINED, "config_hash", F("pk"))


def _refused_version(actor: Actor, now: datetime) -> Rows:
    """Versions that some agents refused, while others run them: one row a version."""
    kept = Quarantine.objects.filter(
        agent=None, lifted_at=None, config_hash=OuterRef("config_hash")
    )
    running = Rollout.objects.active().filter(version__body_ref=OuterRef("config_hash"))
    found = Quarantine.objects.filter(
        lifted_at=None, agent__in=Agent.objects.visible_to(actor).living()
    )
    found = found.exclude(outcome="by_hand").exclude(Exists(kept)).exclude(Exists(running))
    named = found.order_by().annotate(
        need_kind=Value(SourceKind.REFUSED_VERSION.value, CharField())
    )
    counted = named.values("need_kind", "config_hash").annotate(need_facts=_text(Count("pk")))
    rows: Rows = counted.values_list("need_kind", "config_hash", "need_facts")
    return rows


def _wedged(actor: Actor, now: datetime) -> Rows:
    agents = Agent.objects.visible_to(actor).living()
    found = AgentStatus.objects.exclude(wedged_since="").filter(agent__in=agents)
    return _rows(found, SourceKind.WEDGED, "agent_id", F("wedged_since"))


def _at_the_door(actor: Actor, now: datetime) -> Rows:
    found = RefusedAgent.objects.filter(last_at__gte=now - STILL)
    return _one(found, SourceKind.AT_THE_DOOR, Max("pk"))


def _tick_error(actor: Actor, now: datetime) -> Rows:
    found = Rollout.objects.visible_to(actor).active().exclude(tick_error="")
    return _rows(found, SourceKind.TICK_ERROR, "pk", MD5(Cast("tick_error", CharField())))


def _rollback_tick_error(actor: Actor, now: datetime) -> Rows:
    found = Rollback.objects.filter(next_tick_at__isnull=False).exclude(tick_error="")
    return _rows(found, SourceKind.ROLLBACK_TICK_ERROR, "pk", MD5(Cast("tick_error", CharField())))


def _engine_late(actor: Actor, now: datetime) -> Rows:
    found = Rollout.objects.visible_to(actor).filter(next_tick_at__lt=now - LATE)
    return _one(found, SourceKind.ENGINE_LATE, Value("late"))


def _no_gateway(actor: Actor, now: datetime) -> Rows:
    is_alive = Q(stopped_at=None, renewed_at__gt=now - GatewayLease.LIFE)
    alive = Count("pk", filter=is_alive)
    return _one(
        GatewayLease.objects.all(), SourceKind.NO_GATEWAY, Max("renewed_at"), alive=(alive, 0)
    )


def _share_of_fleet(kind: str, column: str, now: datetime) -> Rows:
    """Return one row when a large share of the newest sample is counted in `column`."""
    newest = FleetSample.objects.filter(at__gte=now - FRESH).order_by("-at").values("pk")[:1]
    found = FleetSample.objects.filter(pk=Subquery(newest), **{f"{column}__gte": AWAY_LEAST})
    steps = [
        When(Q(**{f"{column}__gte": F("total") * percent / 100.0}), then=Value(str(percent)))
        for percent in AWAY_FROM
    ]
    level = Case(*steps, default=Value(""), output_field=CharField())
    rows: Rows = _rows(found, kind, Value("all"), level).exclude(need_facts="")
    return rows


def _agents_away(actor: Actor, now: datetime) -> Rows:
    return _share_of_fleet(SourceKind.AGENTS_AWAY, "offline", now)


def _agents_late(actor: Actor, now: datetime) -> Rows:
    return _share_of_fleet(SourceKind.AGENTS_LATE, "late", now)


SOURCES: tuple[Callable[[Actor, datetime], Rows], ...] = (
    _engine_late,
    _no_gateway,
    _tick_error,
    _rollback_tick_error,
    _rolled_back,
    _not_back,
    _agents_away,
    _agents_late,
    _wedged,
    _paused,
    _holding,
    _expiring,
    _quarantined,
    _refused_version,
    _at_the_door,
)


def _seen() -> Rows:
    named = Acknowledgement.objects.order_by().annotate(need_kind=Value(SEEN, CharField()))
    thing = Concat("kind", Value(" "), "subject", output_field=CharField())
    rows: Rows = named.annotate(need_subject=thing, need_facts=_text("facts")).values_list(
        "need_kind", "need_subject", "need_facts"
    )
    return rows


def statement(actor: Actor, now: datetime, *more: Rows) -> Rows:
    """Return one query for all rows of all kinds and what was acknowledged; and for `more` rows of
    three texts that a page wants to know as well."""
    first, *others = (source(actor, now) for source in SOURCES)
    rows: Rows = first.union(*others, _seen(), *more, all=True)
    return rows


def split(rows: list[tuple[str, str, str]]) -> tuple[list[SourceRow], list[SourceRow]]:
    """Return (what nobody has acknowledged, what somebody has), each worst first."""
    seen = {(thing, facts) for kind, thing, facts in rows if kind == SEEN}
    order = {kind.value: place for place, kind in enumerate(SourceKind)}
    found = [SourceRow(*row) for row in rows if row[0] in order]
    found.sort(key=lambda row: (order[row.kind], row.subject))
    known = [(f"{row.kind} {row.subject}", row.facts) in seen for row in found]
    pairs = list(zip(found, known, strict=True))
    return [row for row, is_seen in pairs if not is_seen], [
        row for row, is_seen in pairs if is_seen
    ]
