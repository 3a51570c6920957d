"""What people read of each kind of thing that needs them: one or two queries for each kind.

Each loader takes the rows of its kind and returns, by subject, what is said. A thing that is gone since
it was counted is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.actor import named
from agents.models import AgentStatus, FleetSample, GatewayLease, Quarantine, RefusedAgent
from agents.refused import still_refused
from console.lib.texts import Text, from_json, text
from rollouts.attention.sources import SourceKind, SourceRow
from rollouts.engine.states import RollbackState
from rollouts.models import Approval, ConfigVersion, Rollback, Rollout


@dataclass(frozen=True, slots=True)
class About:
    """What a thing is about, for a link: the kind of object, and its id or uid if it has one."""

    kind: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class AttentionTold:
    """What is said of one thing: the fact, what follows or why, what it is about, since when."""

    says: Text
    more: Text | str
    about: About
    since: datetime | None


BACK: dict[str, str] = {
    RollbackState.RUNNING: "needs.rolling_back",
    RollbackState.SUCCEEDED: "needs.rolled_back",
    RollbackState.INCOMPLETE: "needs.rolled_back_incomplete",
}
STOPPED = {
    SourceKind.REJECTED: "needs.rejected",
    SourceKind.EXPIRED: "needs.expired",
    SourceKind.PAUSED: "needs.paused",
}
Loader = Callable[[Sequence[SourceRow], datetime], dict[str, AttentionTold]]


def _ids(rows: Iterable[SourceRow]) -> list[int]:
    return [int(row.subject) for row in rows]


def _rollouts(rows: Sequence[SourceRow]) -> dict[str, Rollout]:
    found = Rollout.objects.filter(pk__in=_ids(rows))
    return {str(rollout.pk): rollout for rollout in found}


def _at(rollout: Rollout) -> About:
    return About("rollout", str(rollout.pk))


def _versions(hashes: Iterable[str]) -> dict[str, str]:
    """Return what these hashes are called; a hash without a version keeps its first digits."""
    wanted = set(hashes)
    found = ConfigVersion.objects.filter(body_ref__in=wanted).select_related("config")
    names = {version.config_hash: str(version) for version in found.order_by("pk")}
    return {one: names.get(one, one[:8]) for one in wanted}


def _rolled_back(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    found = Rollback.objects.filter(rollout__in=_ids(rows))
    back = list(found.select_related("rollout__version__config"))
    hashes = {r.rollout.version.config_hash for r in back if r.rollout}
    live = Quarantine.objects.filter(agent=None, lifted_at=None, config_hash__in=hashes)
    kept = set(live.values_list("config_hash", flat=True))
    told = {}
    for rollback in back:
        rollout = rollback.rollout
        assert rollout is not None, "found by its rollout"
        version, reason = str(rollout.version), rollback.reason
        is_kept = rollout.version.config_hash in kept
        told[str(rollout.pk)] = AttentionTold(
            text(BACK[rollback.state], number=rollout.number, version=version),
            text("needs.and_quarantined", version=version, reason=reason) if is_kept else reason,
            _at(rollout),
            rollback.decided_at,
        )
    return told


def _not_back(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    found = Rollback.objects.filter(pk__in=_ids(rows)).select_related("rollout")
    return {
        str(rollback.pk): AttentionTold(
            text("needs.not_back", what=str(rollback.rollout or rollback)),
            rollback.reason,
            About("rollback", str(rollback.pk)),
            rollback.finished_at or rollback.decided_at,
        )
        for rollback in found
    }


def _stopped(code: str) -> Loader:
    def told(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
        events = Rollout.objects.filter(pk__in=_ids(rows), events__act="pause")
        pairs = events.order_by("events__seq").values_list("pk", "events__at")
        since = {str(pk): at for pk, at in pairs}  # the last one stays
        return {
            key: AttentionTold(
                text(code, number=rollout.number, by=named(rollout.paused_by_name)),
                rollout.pause_reason,
                _at(rollout),
                since.get(key),
            )
            for key, rollout in _rollouts(rows).items()
        }

    return told


def _holding(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    return {
        key: AttentionTold(
            text("needs.holding", number=rollout.number, why=from_json(rollout.why.get("say", ""))),
            from_json(rollout.why.get("next", "")),
            _at(rollout),
            None,
        )
        for key, rollout in _rollouts(rows).items()
    }


def _tick_error(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    return {
        key: AttentionTold(
            text("needs.tick_error", number=rollout.number),
            rollout.tick_error,
            _at(rollout),
            rollout.looked_at,
        )
        for key, rollout in _rollouts(rows).items()
    }


def _rollback_tick_error(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    found = Rollback.objects.filter(pk__in=_ids(rows)).select_related("rollout")
    return {
        str(rollback.pk): AttentionTold(
            text("needs.rollback_tick_error", what=str(rollback.rollout or rollback)),
            rollback.tick_error,
            About("rollback", str(rollback.pk)),
            rollback.looked_at,
        )
        for rollback in found
    }


def _expiring(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    found = Approval.objects.filter(pk__in=_ids(rows)).select_related("phase__rollout")
    return {
        str(approval.pk): AttentionTold(
            text("needs.expiring", number=approval.phase.rollout.number, phase=approval.phase.name),
            text("needs.expiring.then"),
            About("approval", str(approval.pk)),
            approval.expires_at,
        )
        for approval in found
    }


def _quarantined(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    hashes = [row.subject for row in rows]
    names = _versions(hashes)
    found = Quarantine.objects.filter(agent=None, lifted_at=None, config_hash__in=hashes)
    return {
        one.config_hash: AttentionTold(
            text("needs.quarantined", version=names[one.config_hash]),
            one.reason,
            About("quarantine"),
            one.at,
        )
        for one in found
    }


def _refused_version(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    names = _versions(row.subject for row in rows)
    then = text("needs.refused_version.then")
    return {
        row.subject: AttentionTold(
            text("needs.refused_version", version=names[row.subject], count=int(row.facts)),
            then,
            About("quarantine"),
            None,
        )
        for row in rows
    }


def _wedged(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    found = list(AgentStatus.objects.filter(agent__in=_ids(rows)).select_related("agent"))
    names = _versions(status.wedged_since for status in found)
    return {
        str(status.agent_id): AttentionTold(
            text("needs.wedged", agent=str(status.agent)),
            text("needs.wedged.since", version=names[status.wedged_since]),
            About("agent", str(status.agent.instance_uid)),
            None,
        )
        for status in found
    }


def _at_the_door(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    newest = RefusedAgent.objects.order_by("-last_at").values_list("last_at", flat=True).first()
    says = text("needs.at_the_door", count=still_refused(now))
    return {"all": AttentionTold(says, "", About("refused"), newest)}


def _engine_late(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    due = Rollout.objects.filter(next_tick_at__lt=now).order_by("next_tick_at").first()
    if due is None:
        return {}
    says = text("needs.engine_late", number=due.number)
    return {"all": AttentionTold(says, text("needs.engine_late.then"), _at(due), due.next_tick_at)}


def _no_gateway(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    newest = GatewayLease.objects.order_by("-renewed_at").first()
    since = newest.renewed_at if newest else None
    says, then = text("needs.no_gateway"), text("needs.no_gateway.then")
    return {"all": AttentionTold(says, then, About("offline"), since)}


def _agents_away(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    newest = FleetSample.objects.order_by("-at").first()
    if newest is None:
        return {}
    says = text("needs.agents_away", count=newest.offline, total=newest.total)
    return {"all": AttentionTold(says, text("needs.agents_away.then"), About("offline"), newest.at)}


def _agents_late(rows: Sequence[SourceRow], now: datetime) -> dict[str, AttentionTold]:
    newest = FleetSample.objects.order_by("-at").first()
    if newest is None:
        return {}
    says = text("needs.agents_late", count=newest.late, total=newest.total)
    return {"all": AttentionTold(says, text("needs.agents_late.then"), About("late"), newest.at)}


LOADERS: dict[SourceKind, Loader] = {
    SourceKind.ENGINE_LATE: _engine_late,
    SourceKind.NO_GATEWAY: _no_gateway,
    SourceKind.TICK_ERROR: _tick_error,
    SourceKind.ROLLBACK_TICK_ERROR: _rollback_tick_error,
    SourceKind.ROLLED_BACK: _rolled_back,
    SourceKind.NOT_BACK: _not_back,
    SourceKind.AGENTS_AWAY: _agents_away,
    SourceKind.AGENTS_LATE: _agents_late,
    SourceKind.WEDGED: _wedged,
    SourceKind.REJECTED: _stopped(STOPPED[SourceKind.REJECTED]),
    SourceKind.EXPIRED: _stopped(STOPPED[SourceKind.EXPIRED]),
    SourceKind.PAUSED: _stopped(STOPPED[SourceKind.PAUSED]),
    SourceKind.HOLDING: _holding,
    SourceKind.EXPIRING: _expiring,
    SourceKind.QUARANTINED: _quarantined,
    SourceKind.REFUSED_VERSION: _refused_version,
    SourceKind.AT_THE_DOOR: _at_the_door,
}
