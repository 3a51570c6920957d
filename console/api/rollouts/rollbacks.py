"""`rollback` by selector, and `rollbacks`: how each one goes, with who is still not back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from console.api import paging, params
from console.api.agents.rows import shown as cut
from console.api.hashes import hash_of
from console.api.idempotency import once
from console.api.links import page
from console.api.rollouts.answers import event_row
from console.api.rollouts.views import text_of
from console.api.shapes import rollbacks as shapes
from console.api.shapes.answer import Answer
from console.api.shapes.events import EventList
from console.api.views import ApiView, named_in_body
from console.lib.problems import FieldError, Invalid, Missing
from console.lib.texts import said
from console.lib.texts import text as say
from rollouts.actions.rollback_selector import rollback_selector
from rollouts.engine.states import RollbackTargetState
from rollouts.models import ConfigVersion, Event, Rollback, RollbackTarget
from rollouts.rollback.preview import Move, WaysPreview, preview

STRAGGLERS = 100


class RollbackBySelector(ApiView):
    verbs = {"POST": "rollouts.rollback"}

    @extend_schema(
        operation_id="rollback",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.NewRollback,
        responses={200: shapes.RollbackPreview, 202: shapes.Rollback},
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Rollback | shapes.RollbackPreview]:
        """Bring the agents of a selector back: each to its own previous config, or to one version.

        202: it has begun. Follow it at `status_url`. With `dry_run` only count who would go from what
        to what (200); give `count`, or `count` and `seen_preview`, to have just that done: 409
        `count_changed` says that it is another number, or other versions, by now.
        """
        body = self.read(shapes.NewRollback)
        selector, to = text_of(body), _to(body)
        config = body.get("config") or None
        with named_in_body(to="config_hash" if body.get("config_hash") else "to_version"):
            if body["dry_run"]:
                found = preview(selector=selector, to=to, config=config, by=self.actor)
                return Answer(preview_row(found))
            rollback = rollback_selector(
                selector=selector,
                to=to,
                config=config,
                by=self.actor,
                reason=_reason(body),
                method=body.get("method") or Rollback.Method.IMMEDIATE,
                seen_count=body.get("count"),
                seen_preview=body.get("seen_preview") or None,
            )
        answer = rollback_row(rollback)
        return Answer(answer, status=202, headers={"Location": answer["status_url"]})


def _reason(body: Mapping[str, Any]) -> str:
    """Return the reason, with the name that a script gave for whom it acts."""
    reason, claimed = body.get("reason", ""), body.get("requested_by", "")
    if not claimed:
        return str(reason)
    return str(say("rollback.claimed", reason=reason, by=claimed))


def preview_row(found: WaysPreview) -> shapes.RollbackPreview:
    """Return what would be done: one query more, for the names of versions."""
    hashes = {h for m in (*found.moves, *found.stranded) for h in (m.from_hash, m.to_hash) if h}
    rows = ConfigVersion.objects.filter(body_ref__in=hashes).select_related("config")
    names = {version.config_hash: str(version) for version in rows.order_by("pk")}
    return {
        "selector": found.selector,
        "dry_run": True,
        "matched": found.matched,
        "count": found.agents,
        "moves": [_move(move, names) for move in found.moves],
        "stranded": [_move(move, names) for move in found.stranded],
        "on_their_way": dict(found.held),
        "environments": list(found.environments),
        "digest": found.digest,
    }


def _move(move: Move, names: Mapping[str, str]) -> shapes.RollbackMove:
    return {
        "agents": move.agents,
        "from_hash": move.from_hash,
        "from_version": names.get(move.from_hash, move.from_hash[:8]),
        "to_hash": move.to_hash,
        "to_version": names.get(move.to_hash, move.to_hash[:8]),
        "problem": said(move.problem),
    }


class RollbackList(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollbacks_list",
        parameters=params.PAGE,
        responses=shapes.RollbackList,
    )
    def get(self, request: Request) -> Answer[shapes.RollbackList]:
        """Rollbacks of every kind, newest first."""
        rows, following = paging.newest(Rollback.objects.all(), request)
        found = [_summary(rollback) for rollback in rows]
        return Answer({"rollbacks": found, "next": following})


class RollbackDetail(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(operation_id="rollbacks_read", responses=shapes.Rollback)
    def get(self, request: Request, pk: int) -> Answer[shapes.Rollback]:
        """How a rollback goes: counts by state, and the agents that are not back yet."""
        return Answer(rollback_row(_rollback(pk)))


class RollbackEvents(ApiView):
    verbs = {"GET": "rollouts.view"}

    @extend_schema(
        operation_id="rollbacks_events",
        parameters=params.PAGE_OLDEST,
        responses=EventList,
    )
    def get(self, request: Request, pk: int) -> Answer[EventList]:
        """The events of a rollback by selector, oldest first."""
        rows = Event.objects.filter(rollback=_rollback(pk))
        found, following = paging.oldest(rows, request, "seq")
        return Answer({"events": [event_row(event) for event in found], "next": following})


def rollback_row(rollback: Rollback) -> shapes.Rollback:
    """Return one rollback with its counts and stragglers: two queries."""
    targets = RollbackTarget.objects.filter(rollback=rollback)
    by_state = dict(targets.order_by().values_list("state").annotate(n=Count("pk")))
    late = targets.exclude(state=RollbackTargetState.CONFIRMED).select_related("agent")
    return {
        **_summary(rollback),
        "counts": _counts(by_state),
        "stragglers": [_straggler(target) for target in late.order_by("pk")[:STRAGGLERS]],
    }


def _counts(by_state: Mapping[str, int]) -> shapes.RollbackCounts:
    states = RollbackTargetState
    return {
        "targets": sum(by_state.values()),
        "waiting": by_state.get(states.WAITING, 0),
        "offered": by_state.get(states.OFFERED, 0),
        "confirmed": by_state.get(states.CONFIRMED, 0),
        "failed": by_state.get(states.FAILED, 0),
        "timed_out": by_state.get(states.TIMED_OUT, 0),
        "no_version": by_state.get(states.NO_VERSION, 0),
        "skipped": by_state.get(states.SKIPPED, 0),
    }


def _summary(rollback: Rollback) -> shapes.RollbackRow:
    return {
        "id": rollback.pk,
        "state": rollback.state,
        "kind": rollback.kind,
        "method": rollback.method,
        "rollout": rollback.rollout_id,
        "selector": rollback.selector,
        "to": rollback.to,
        "reason": said(rollback.reason),
        "requested_by": rollback.requested_by_name,
        "breach_at": rollback.breach_at,
        "decided_at": rollback.decided_at,
        "offered_at": rollback.offered_at,
        "finished_at": rollback.finished_at,
        "status_url": page(f"api/v1/rollbacks/{rollback.pk}"),
    }


def _straggler(target: RollbackTarget) -> shapes.Straggler:
    return {
        "agent": str(target.agent.instance_uid),
        "name": str(target.agent),
        "state": target.state,
        "online": target.online,
        "from_hash": target.from_hash,
        "to_hash": target.to_hash,
        "error": cut(said(target.error)),
    }


def _rollback(pk: int) -> Rollback:
    rollback = Rollback.objects.filter(pk=pk).first() if pk < 2**63 else None
    if rollback is None:
        raise Missing("rollback.missing", number=pk)
    return rollback


def _to(body: dict[str, Any]) -> str | int:
    """Return what to go back to: a hash when one is given, a version, or `previous`."""
    version = body.get("to_version", "previous")
    if not body.get("config_hash"):
        return version  # type: ignore[no-any-return]
    if version != "previous":
        raise Invalid(
            "api.one_goal",
            errors=[FieldError("config_hash", say("api.beside_version"))],
        )
    return hash_of(body["config_hash"])
