from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rollouts.models import Phase, Rollout
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import MANUAL, ROLLOUTS, created, make_edge_fleet, send, tick
from tests.console.api.people import Reply, by_session, by_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    make_edge_fleet()


def act(rollout: dict[str, Any], verb: str, client: Client | None = None, **body: Any) -> Reply:
    headers = body.pop("headers", {})
    return send(f"/{rollout['id']}/{verb}", body, client, headers=headers)


def running() -> dict[str, Any]:
    return created(start=True)


def waiting() -> dict[str, Any]:
    """A rollout whose first phase waits for a person."""
    rollout = created(start=True, plan=MANUAL)
    tick()
    assert Phase.objects.get(rollout=rollout["id"], name="all").state == "awaiting_approval"
    return rollout


def test_pause_and_resume() -> None:
    rollout = running()
    paused = assert_as_documented("rollouts_pause", act(rollout, "pause", reason="look first"))
    assert paused["state"] == "paused"
    assert act(rollout, "resume").json()["state"] == "running"


def test_an_act_on_a_seen_revision_is_done() -> None:
    rollout = running()
    headers = {"if-match": f'"{rollout["revision"]}"'}
    assert act(rollout, "pause", headers=headers).status_code == 200


@pytest.mark.parametrize("how", ["header", "body"])
def test_a_rollout_that_moved_on_is_answered_with_its_state_and_nothing_is_done(how: str) -> None:
    rollout = running()
    act(rollout, "pause", reason="mine")
    old = rollout["revision"]
    seen: dict[str, Any] = (
        {"headers": {"if-match": f'"{old}"'}} if how == "header" else {"revision": old}
    )
    answer = act(rollout, "resume", **seen)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "stale")
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["rollout"]["state"] == "paused"
    assert Rollout.objects.get().state == "paused"


def test_header_and_body_must_not_differ() -> None:
    rollout = running()
    assert act(rollout, "pause", revision=1, headers={"if-match": '"2"'}).status_code == 422


def test_a_header_that_is_no_revision_is_refused() -> None:
    assert act(running(), "pause", headers={"if-match": '"abc"'}).status_code == 422


def test_what_a_rule_forbids_is_refused_with_the_present_state() -> None:
    rollout = created()
    answer = act(rollout, "pause", reason="too early")
    assert answer.status_code == 409
    assert answer.json()["rollout"]["state"] == "draft"


def test_a_draft_is_started() -> None:
    rollout = created()
    found = assert_as_documented("rollouts_start", act(rollout, "start"))
    assert found["state"] == "running"


def test_an_approver_approves() -> None:
    answer = act(waiting(), "approve", by_session("approver"), phase="all", reason="looks good")
    found = assert_as_documented("rollouts_approve", answer)
    assert found["phases"][0]["state"] != "awaiting_approval"


def test_a_token_never_approves() -> None:
    rollout = waiting()
    answer = act(rollout, "approve", by_token("approver"), phase="all")
    assert answer.status_code == 403
    assert "token" in answer.json()["detail"]
    assert Phase.objects.get(rollout=rollout["id"], name="all").state == "awaiting_approval"


def test_an_operator_does_not_approve() -> None:
    assert act(waiting(), "approve", by_session("operator"), phase="all").status_code == 403


def test_an_approver_rejects() -> None:
    answer = act(waiting(), "reject", by_session("approver"), phase="all", reason="not today")
    assert_as_documented("rollouts_reject", answer)


def test_a_phase_must_be_named_to_be_approved() -> None:
    answer = act(waiting(), "approve", by_session("approver"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "phase"


def test_abort_leaves_everything_as_it_is() -> None:
    found = assert_as_documented("rollouts_abort", act(running(), "abort", reason="wrong one"))
    assert found["state"] == "aborted"


def test_roll_back_begins() -> None:
    rollout = running()
    tick()
    answer = act(rollout, "rollback", reason="queues grow", method="immediate")
    found = assert_as_documented("rollouts_rollback", answer)
    assert found["state"] in ("rolling_back", "rolled_back")


def test_the_same_key_acts_once() -> None:
    rollout = running()
    headers = {"idempotency-key": "k"}
    first = act(rollout, "pause", reason="r", headers=headers)
    second = act(rollout, "pause", reason="r", headers=headers)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


@pytest.mark.parametrize(
    "verb", ["start", "pause", "resume", "advance", "abort", "rollback", "retry"]
)
def test_a_viewer_acts_on_nothing(verb: str) -> None:
    assert act(running(), verb, by_token("viewer"), reason="x").status_code == 403


@pytest.mark.parametrize("verb", ["start", "pause", "approve", "rollback", "retry", "waive"])
def test_an_unknown_rollout_is_missing(verb: str) -> None:
    client = by_session("operator", "approver")
    body = {"reason": "a good reason", "phase": "all", "gate": "g"}
    known = {"approve": ("reason", "phase"), "waive": ("reason", "phase", "gate")}
    sent = {key: body[key] for key in known.get(verb, ("reason",))}
    assert send(f"/999/{verb}", sent, client).status_code == 404


@pytest.mark.parametrize("verb", ["explode", "Pause", "pause/", ""])
def test_an_act_that_is_none_is_missing(verb: str) -> None:
    assert by_token("operator").post(f"{ROLLOUTS}/1/{verb}").status_code == 404


def change(rollout: dict[str, Any], client: Client | None = None, **body: Any) -> Reply:
    client = client or by_token("operator")
    return client.patch(f"{ROLLOUTS}/{rollout['id']}", body, content_type="application/json")


def test_a_draft_is_edited_and_discarded() -> None:
    draft = created()
    edited = assert_as_documented(
        "rollouts_edit", change(draft, title="Another title", revision=draft["revision"])
    )
    assert (edited["title"], edited["state"]) == ("Another title", "draft")
    assert edited["selector"] == draft["selector"]
    assert change(draft, title="Mine", revision=draft["revision"]).status_code == 409
    assert change(draft, selector="env=").json()["errors"][0]["path"] == "selector"
    gone = assert_as_documented("rollouts_discard", act(draft, "discard", reason="not needed"))
    assert gone["state"] == "aborted"
    assert change(draft, title="Late").status_code == 409


def test_only_operators_edit_and_discard() -> None:
    draft = created()
    assert change(draft, by_token("viewer"), title="x").status_code == 403
    assert act(draft, "discard", by_token("author")).status_code == 403
