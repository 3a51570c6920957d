"""Acts on a rollout: one route per verb, each over the function that the page calls too.

A rollout that moved on, or a rule that says no, answers 409 with the rollout as it is now under
`rollout`: nothing was done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from console.api import params
from console.api.described import described
from console.api.errors import answer
from console.api.idempotency import once
from console.api.rollouts.answers import rollout_view
from console.api.rollouts.revisions import seen
from console.api.rollouts.views import rollout_of, shown
from console.api.shapes import rollouts as shapes
from console.api.shapes.answer import Answer
from console.api.shapes.base import Body
from console.api.views import ApiView
from console.lib.problems import Refused, Stale
from rollouts.actions.abort import abort
from rollouts.actions.advance import advance
from rollouts.actions.approve import approve
from rollouts.actions.discard import discard
from rollouts.actions.pause import pause
from rollouts.actions.reject import reject
from rollouts.actions.resume import resume
from rollouts.actions.retry import retry
from rollouts.actions.rollback import rollback_rollout
from rollouts.actions.start import start
from rollouts.actions.waive import waive
from rollouts.models import Rollout

_WORDS = {"digest": "seen_digest", "revision": "seen_revision"}


class RolloutAct(ApiView):
    """One act. Subclasses name the verb, the body, and the function that does it."""

    body: ClassVar[type[Body]] = shapes.Act
    act: ClassVar[Callable[..., object]]
    takes_revision: ClassVar[bool] = True

    @once
    def post(self, request: Request, pk: int) -> Answer[shapes.Rollout] | Response:
        given = self.read(self.body)
        rollout = rollout_of(self, pk)
        if self.takes_revision:
            given["revision"] = seen(request, given)
        words = {_WORDS.get(k, k): v for k, v in given.items() if v is not None}
        try:
            done = type(self).act(rollout_id=rollout.pk, by=self.actor, **words)
        except (Stale, Refused) as problem:
            return answer(problem, rollout=rollout_view(rollout_of(self, pk)))
        return self.answer(pk, done)

    def answer(self, pk: int, done: object) -> Answer[shapes.Rollout]:
        """Answer the rollout as the act left it."""
        return shown(self, pk)


def _described(
    name: str, body: type[Body], status: int = 200
) -> Callable[[type[RolloutAct]], type[RolloutAct]]:
    return described(
        f"rollouts_{name}", body, {status: shapes.Rollout}, parameters=(params.IF_MATCH,)
    )


@_described("start", shapes.Start)
class Start(RolloutAct):
    """Start a draft."""

    verbs = {"POST": "rollouts.start"}
    body = shapes.Start
    act = staticmethod(start)


@_described("discard", shapes.Act)
class Discard(RolloutAct):
    """End a draft: it never starts."""

    verbs = {"POST": "rollouts.discard"}
    act = staticmethod(discard)


@_described("approve", shapes.Decide)
class Approve(RolloutAct):
    """Let a waiting manual phase begin. Never by token; never by who wrote or started it."""

    verbs = {"POST": "rollouts.approve"}
    body = shapes.Decide
    act = staticmethod(approve)


@_described("reject", shapes.Decide)
class Reject(RolloutAct):
    """Answer no to a waiting manual phase."""

    verbs = {"POST": "rollouts.reject"}
    body = shapes.Decide
    act = staticmethod(reject)


@_described("pause", shapes.Act)
class Pause(RolloutAct):
    """Send nothing more; what is being applied finishes."""

    verbs = {"POST": "rollouts.pause"}
    act = staticmethod(pause)


@_described("resume", shapes.Act)
class Resume(RolloutAct):
    """Go on after a pause."""

    verbs = {"POST": "rollouts.resume"}
    act = staticmethod(resume)


@_described("advance", shapes.Act)
class Advance(RolloutAct):
    """Skip the rest of an observation."""

    verbs = {"POST": "rollouts.advance"}
    act = staticmethod(advance)


@_described("abort", shapes.Act)
class Abort(RolloutAct):
    """Stop and leave every agent as it is."""

    verbs = {"POST": "rollouts.abort"}
    act = staticmethod(abort)


@_described("rollback", shapes.RollBack)
class RollBack(RolloutAct):
    """Bring every touched agent back to what it ran before."""

    verbs = {"POST": "rollouts.rollback"}
    body = shapes.RollBack
    act = staticmethod(rollback_rollout)


@_described("waive", shapes.Waive)
class Waive(RolloutAct):
    """Count one gate of one phase as passed, in the name of who says so."""

    verbs = {"POST": "rollouts.waive"}
    body = shapes.Waive
    act = staticmethod(waive)
    takes_revision = False


@_described("retry", shapes.Act, status=201)
class Retry(RolloutAct):
    """Draft and start a new rollout of the agents that failed."""

    verbs = {"POST": "rollouts.retry"}
    act = staticmethod(retry)
    takes_revision = False

    def answer(self, pk: int, done: object) -> Answer[shapes.Rollout]:
        """Answer the new rollout."""
        return shown(self, done.pk if isinstance(done, Rollout) else pk, status=201)


# verb -> view; the routes are made from it, under the names of the pages' routes.
ACTS: dict[str, type[RolloutAct]] = {
    "start": Start,
    "discard": Discard,
    "approve": Approve,
    "reject": Reject,
    "pause": Pause,
    "resume": Resume,
    "advance": Advance,
    "abort": Abort,
    "rollback": RollBack,
    "retry": Retry,
    "waive": Waive,
}
