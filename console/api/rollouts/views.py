"""`rollouts`: preview, create, list, read. What changes one is in `acts`."""

from __future__ import annotations

from typing import Any, cast

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.selectors.grammar import parse_any, to_text
from console.api import paging, params
from console.api.errors import answer
from console.api.idempotency import once
from console.api.links import page
from console.api.rollouts.answers import rollout_view
from console.api.rollouts.revisions import etag, seen
from console.api.shapes import rollouts as shapes
from console.api.shapes.answer import Answer
from console.api.views import ApiView, named_in_body
from console.lib.problems import Missing, Refused, Stale
from console.lib.texts import spoken
from rollouts.actions.draft import draft_rollout
from rollouts.actions.edit_draft import edit_draft
from rollouts.actions.start import start
from rollouts.drafts.preview import preview
from rollouts.models import Rollout

_NOT_FOR_DRAFT = ("start", "seen_preview", "accept")


class RolloutList(ApiView):
    verbs = {"GET": "rollouts.view", "POST": "rollouts.start"}

    @extend_schema(
        operation_id="rollouts_list",
        parameters=[params.ROLLOUT_STATE, params.CONFIG, *params.PAGE],
        responses=shapes.RolloutList,
    )
    def get(self, request: Request) -> Answer[shapes.RolloutList]:
        """Rollouts, newest first."""
        rows = Rollout.objects.visible_to(self.actor).for_list()
        if states := params.ROLLOUT_STATE.of(request):
            rows = rows.filter(state__in=states)
        if config := params.CONFIG.of(request):
            rows = rows.filter(config__name=config)
        found, following = paging.newest(rows, request)
        return Answer({"rollouts": [_row(rollout) for rollout in found], "next": following})

    @extend_schema(
        operation_id="rollouts_create",
        parameters=[params.IDEMPOTENCY_KEY],
        request=shapes.NewRollout,
        responses={201: shapes.Rollout},
    )
    @once
    def post(self, request: Request) -> Answer[shapes.Rollout]:
        """Draft a rollout and, with `start`, start it. If it cannot start, nothing is kept."""
        body = self.read(shapes.NewRollout)
        given = {k: v for k, v in body.items() if k not in _NOT_FOR_DRAFT and v is not None}
        with transaction.atomic(), named_in_body():
            drafted = draft_rollout(by=self.actor, **{**given, "selector": text_of(body)})
            if body.get("start"):
                start(
                    rollout_id=drafted.pk,
                    by=self.actor,
                    reason=body.get("reason", ""),
                    seen_preview=body.get("seen_preview"),
                    accept=body.get("accept"),
                )
        return shown(self, drafted.pk, status=201)


class Preview(ApiView):
    verbs = {"POST": "rollouts.view"}

    @extend_schema(operation_id="rollouts_preview", request=shapes.Draft, responses=shapes.Preview)
    def post(self, request: Request) -> Answer[shapes.Preview]:
        """Which agents each phase would get, who is left out and why. Changes nothing.

        `seed` fixes the choice: give it back when creating, and the preview is the plan.
        """
        body = self.read(shapes.Draft)
        seed = body.get("seed") or get_random_string(16)
        with named_in_body():
            found = preview(
                config=body["config"],
                version=body.get("version"),
                plan=body["plan"],
                selector=text_of(body),
                spread_label=body.get("spread_label", ""),
                when_busy=body.get("when_busy", "refuse"),
                overrides=body.get("overrides"),
                seed=seed,
                now=timezone.now(),
            )
        return Answer(cast(shapes.Preview, {"seed": seed, **spoken(found.to_dict())}))


class RolloutDetail(ApiView):
    verbs = {"GET": "rollouts.view", "PATCH": "rollouts.edit"}

    @extend_schema(operation_id="rollouts_read", responses=shapes.Rollout)
    def get(self, request: Request, pk: int) -> Answer[shapes.Rollout]:
        """One rollout, its phases with their gates, and the sentence that says where it stands."""
        return shown(self, pk)

    @extend_schema(
        operation_id="rollouts_edit",
        parameters=[params.IF_MATCH, params.IDEMPOTENCY_KEY],
        request=shapes.DraftChange,
        responses=shapes.Rollout,
    )
    @once
    def patch(self, request: Request, pk: int) -> Answer[shapes.Rollout] | Response:
        """Change a draft; its agents are chosen anew, by the same seed."""
        given = self.read(shapes.DraftChange)
        rollout = rollout_of(self, pk)
        revision = seen(request, given)
        if "selector" in given:
            given["selector"] = text_of(given)
        given.pop("revision", None)
        try:
            with named_in_body():
                edit_draft(rollout_id=rollout.pk, by=self.actor, seen_revision=revision, **given)
        except (Stale, Refused) as problem:
            return answer(problem, rollout=rollout_view(rollout_of(self, pk)))
        return shown(self, pk)


def rollout_of(view: ApiView, pk: int) -> Rollout:
    """Return one visible rollout with what its view needs. Raises Missing."""
    rollouts = Rollout.objects.visible_to(view.actor).for_detail()
    rollout = rollouts.filter(pk=pk).first() if pk < 2**63 else None
    if rollout is None:
        raise Missing("rollout.missing_or_hidden", number=pk)
    return rollout


def shown(view: ApiView, pk: int, *, status: int = 200) -> Answer[shapes.Rollout]:
    """Answer a rollout as it is now, with its revision as ETag."""
    rollout = rollout_of(view, pk)
    headers = {"ETag": etag(rollout.revision)}
    if status == 201:
        headers["Location"] = f"/api/v1/rollouts/{pk}"
    return Answer(rollout_view(rollout), status=status, headers=headers)


def text_of(body: dict[str, Any]) -> str:
    """Return the text form of the body's selector. Raises Invalid with the place of a typo."""
    return to_text(parse_any(body["selector"]))


def _row(rollout: Rollout) -> shapes.Row:
    return {
        "id": rollout.pk,
        "number": rollout.number,
        "title": rollout.title,
        "state": rollout.state,
        "revision": rollout.revision,
        "why": spoken((rollout.why or {}).get("say", "")),
        "config": rollout.config.name,
        "version": rollout.version.number,
        "config_hash": rollout.version.config_hash,
        "selector": rollout.selector,
        "plan": rollout.plan_name,
        "created_at": rollout.created_at,
        "created_by": rollout.created_by.get_username() if rollout.created_by else None,
        "started_at": rollout.started_at,
        "finished_at": rollout.finished_at,
        "url": page(f"rollouts/{rollout.pk}/"),
    }
