"""Who of a selection can be in a rollout, in what order, and who cannot and why: one SQL query, and one
for names where somebody is left out or away.

The order is that of `engine.membership.order_key`, computed by PostgreSQL because a preview over
100,000 agents must take < 300 ms; `engine.membership` spreads it over a label if asked. Agents that
are connected come first, those that are away after them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from agents.models import Agent, Quarantine
from agents.opamp.bits import REPORTS_AVAILABLE_COMPONENTS
from agents.selectors.grammar import parse
from console.lib.texts import text
from rollouts.engine.membership import Lineup, by_stratum, spread_order
from rollouts.engine.states import FAILED_TARGETS
from rollouts.models import Target
from rollouts.selectors import selector_q

MAX_SAMPLES = 10


class Reason(StrEnum):
    """Why a matched agent is not in a rollout; the first that holds is the one counted."""

    CANNOT_ACCEPT = "cannot_accept"
    WEDGED = "wedged"
    QUARANTINED = "quarantined"
    ALREADY = "already"
    BUSY = "busy"
    OFFLINE = "offline"
    NOT_FAILED = "not_failed"
    AWAY = "away"


REASON_TEXT = {
    Reason.CANNOT_ACCEPT: text("excluded.cannot_accept"),
    Reason.WEDGED: text("excluded.wedged"),
    Reason.QUARANTINED: text("excluded.quarantined"),
    Reason.ALREADY: text("excluded.already"),
    Reason.BUSY: text("excluded.busy"),
    Reason.OFFLINE: text("excluded.offline"),
    Reason.NOT_FAILED: text("excluded.not_failed"),
    Reason.AWAY: text("excluded.away"),
}


@dataclass(frozen=True, slots=True)
class Excluded:
    """Matched agents that are left out for one reason, with up to ten names."""

    reason: Reason
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EligibilityQuery:
    """What is asked: who matches `selector`, for `config_hash`, ordered by `seed`.

    `rollout_id` is the rollout whose own active targets do not count as busy. `retry_of` narrows the
    selection to agents that failed or timed out there. `offline_after_s` None keeps the offline.
    `busy_excluded` False leaves agents of other rollouts in (the rollout will wait for them).
    """

    selector: str
    config_hash: str
    seed: str
    spread_label: str = ""
    offline_after_s: float | None = None
    rollout_id: int | None = None
    retry_of: int | None = None
    busy_excluded: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Eligible agents alike in what preflight asks: version, components, what they run, connection.

    `kept`: what it runs is quarantined for the agent itself, so it is no way back.
    """

    version: str
    components: str
    running: str
    online: bool
    healthy: bool | None
    reports: bool
    kept: bool
    count: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer. `order` are eligible ids in rollout order; `strata` gives each its value of the
    spread label ("" when it has none), and is empty when no agent has that label. `parts` has the
    order narrowed by each phase selector, "" is the whole. `away` are samples of who is away."""

    matched: int
    order: list[int]
    away: tuple[str, ...]
    strata: Mapping[int, str]
    excluded: tuple[Excluded, ...]
    groups: tuple[Group, ...]
    parts: Mapping[str, Lineup]


def select(question: EligibilityQuery, phase_selectors: frozenset[str], now: datetime) -> Selection:
    """Return the eligible agents in order, with what preflight needs to know of them."""
    base = selector_q(parse(question.selector))
    judged = _judged(question, base, now)
    eligible, strata, present, alike = _one(*_in_order(question, judged, with_groups=True))
    order, strata_of = _spread(eligible or [], strata, present)
    parts = {"": Lineup(order, present)}
    for selector in phase_selectors - {""}:
        narrow = _judged(question, base & selector_q(parse(selector)), now)
        part, strata, present_there, _ = _one(*_in_order(question, narrow))
        parts[selector] = Lineup(_spread(part or [], strata, present_there)[0], present_there)
    groups, left_out = _split(alike or [])
    names = _samples(judged) if left_out or present < len(order) else {}
    return Selection(
        len(order) + sum(left_out.values()),
        order,
        names.get(Reason.AWAY, ()),
        strata_of,
        tuple(Excluded(r, left_out[r], names.get(r, ())) for r in Reason if left_out[r]),
        groups,
        parts,
    )


def _split(alike: list[dict[str, Any]]) -> tuple[tuple[Group, ...], Counter[Reason]]:
    """Return the groups of those who are eligible, and how many of the others there are."""
    groups, left_out = [], Counter[Reason]()
    for facts in alike:
        reason = facts.pop("reason")
        if reason:
            left_out[Reason(reason)] += facts["count"]
        else:
            groups.append(Group(**facts))
    return tuple(groups), left_out


def _spread(
    order: list[int], strata: list[str] | None, present: int
) -> tuple[list[int], dict[int, str]]:
    """Return the order spread over the label, and the stratum of each; as it is when none has it.

    The first `present` are connected and stay before the others.
    """
    if strata is None or not any(strata):
        return order, {}
    spread: list[int] = []
    for part in (slice(present), slice(present, None)):
        spread += spread_order(by_stratum(order[part], strata[part]))
    return spread, dict(zip(order, strata, strict=True))


def _one(sql: str, params: list[Any]) -> tuple[Any, ...]:
    with transaction.atomic(), connection.cursor() as cursor:
        # 100,000 agents are sorted in memory; PostgreSQL's default 4 MB would go to disk. It also
        # takes rows from helpers for dearer than they are, and would read a large fleet alone.
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0.01")
        cursor.execute(sql, params)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


Judged = tuple[str, list[Any]]


def _judged(question: EligibilityQuery, condition: Q, now: datetime) -> Judged:
    """Build the table that says of each matching agent why it is left out, "" if it is not. Values are
    parameters throughout.

    It is not kept for all who read it: to pass wide rows from PostgreSQL's helpers on takes longer
    than to join them again.
    """
    matching, match_params = (
        Agent.objects.matching(condition)
        .values(
            "id", "instance_uid", "name", "version", "capabilities", "labels", "components_hash"
        )
        .query.sql_with_params()
    )
    cases, joins, (case_params, join_params) = _reasons(question, now)
    spread = bool(question.spread_label)
    label = [question.spread_label] if spread else []
    sql = f"""
        WITH judged AS NOT MATERIALIZED (
            SELECT m.id, m.name, CASE {cases} ELSE '' END AS reason,
                   {"coalesce(m.labels ->> %s, '')" if spread else "''"} AS stratum,
                   m.instance_uid, m.version,
                   CASE WHEN (m.capabilities & {REPORTS_AVAILABLE_COMPONENTS}) = 0 THEN ''
                        ELSE m.components_hash END AS components,
                   coalesce(s.running_hash, '') AS running,
                   s.connected IS TRUE AS online, s.healthy,
                   (m.capabilities & 4096) <> 0 AS reports,
                   EXISTS (SELECT FROM agents_quarantine k
                           WHERE k.agent_id = m.id AND k.config_hash = s.running_hash
                             AND k.lifted_at IS NULL) AS kept
            FROM ({matching}) m {joins}
        )
    """  # noqa: S608  the pieces are constants of this module
    return sql, [*case_params, *label, *match_params, *join_params]


def _in_order(
    question: EligibilityQuery, judged: Judged, *, with_groups: bool = False
) -> tuple[str, list[Any]]:
    """Build the query for the order, and for how many are alike, eligible or not.

    The rows are sorted where PostgreSQL's helpers can do it, and hold no more than the order needs;
    aggregates over sorted rows keep their order.
    """
    sql, params = judged
    groups = """(SELECT json_agg(g) FROM (
        SELECT reason, version, components, running, online, healthy, reports, kept,
               count(*) AS count
        FROM judged GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) g)"""
    sql += f"""
        SELECT array_agg(id), {"array_agg(stratum)" if question.spread_label else "NULL"},
               count(*) FILTER (WHERE online), {groups if with_groups else "NULL"}
        FROM (SELECT id, stratum, online FROM judged WHERE reason = ''
              ORDER BY NOT online, md5(%s || instance_uid::text) COLLATE "C") o
    """  # noqa: S608  the pieces are constants of this module
    return sql, [*params, question.seed]


def _samples(judged: Judged) -> dict[Reason, tuple[str, ...]]:
    """Return names of agents that are left out, by reason, and of those that are away."""
    sql, params = judged
    sql += f"""
        SELECT json_object_agg(reason, samples) FROM (
            SELECT coalesce(nullif(reason, ''), '{Reason.AWAY}') AS reason,
                   (array_agg(name ORDER BY name))[1:{MAX_SAMPLES}] AS samples
            FROM judged WHERE reason <> '' OR NOT online GROUP BY 1
        ) r
    """  # noqa: S608  the pieces are constants of this module
    (found,) = _one(sql, params)
    return {Reason(reason): tuple(names) for reason, names in (found or {}).items()}


def _reasons(
    question: EligibilityQuery, now: datetime
) -> tuple[str, str, tuple[list[Any], list[Any]]]:
    """Return CASE branches, joins, and their parameters, in the order of `Reason`."""
    cases = [
        "WHEN (m.capabilities & 2) = 0 THEN 'cannot_accept'",
        "WHEN s.wedged_since <> '' THEN 'wedged'",
    ]
    joins = [
        "LEFT JOIN agents_agentstatus s ON s.agent_id = m.id",
        "LEFT JOIN agents_desired d ON d.agent_id = m.id",
    ]
    case_params: list[Any] = []
    join_params: list[Any] = []
    if question.retry_of is not None:
        joins.append(
            "LEFT JOIN rollouts_target r ON r.agent_id = m.id AND r.rollout_id = %s"
            " AND r.state = ANY(%s)"
        )
        join_params += [question.retry_of, sorted(FAILED_TARGETS)]
        cases.append("WHEN r.id IS NULL THEN 'not_failed'")
    live = Quarantine.objects.filter(config_hash=question.config_hash, lifted_at=None)
    if live.filter(agent=None).exists():
        cases.append("WHEN true THEN 'quarantined'")
    elif question.retry_of is None and live.exists():
        joins.append(
            "LEFT JOIN agents_quarantine q ON q.agent_id = m.id AND q.config_hash = %s"
            " AND q.lifted_at IS NULL"
        )
        join_params.append(question.config_hash)
        cases.append("WHEN q.id IS NOT NULL THEN 'quarantined'")
    cases.append(
        "WHEN s.running_hash = %s AND (d.agent_id IS NULL OR d.config_hash = %s) THEN 'already'"
    )
    case_params += [question.config_hash, question.config_hash]
    if question.busy_excluded and _others_are_active(question.rollout_id):
        joins.append(
            "LEFT JOIN rollouts_target t ON t.agent_id = m.id AND t.active AND t.rollout_id <> %s"
        )
        join_params.append(question.rollout_id or 0)
        cases.append("WHEN t.id IS NOT NULL THEN 'busy'")
    if question.offline_after_s is not None:
        cases.append(
            "WHEN s.connected IS NOT TRUE"
            " AND coalesce(s.disconnected_at, s.last_seen_at, '-infinity') < %s THEN 'offline'"
        )
        case_params.append(now - timedelta(seconds=question.offline_after_s))
    return " ".join(cases), " ".join(joins), (case_params, join_params)


def _others_are_active(rollout_id: int | None) -> bool:
    return Target.objects.filter(active=True).exclude(rollout=rollout_id or 0).exists()
