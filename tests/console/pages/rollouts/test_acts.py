"""Acts on a rollout through the pages: allowed, denied, stale, incomplete, twice, with and without htmx."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.policy import VERBS
from console.api.rollouts import acts as api_acts
from console.pages.rollouts.acts import dialogs
from console.pages.rollouts.acts import table as acts
from rollouts.engine.states import RolloutState
from rollouts.models import Approval, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_approval, make_rollout

pytestmark = pytest.mark.django_db

REASON = "Export errors are rising on eu-1."
HTMX = {"HX-Request": "true", "HX-Target": "dialog"}


@pytest.fixture
def rollout() -> Rollout:
    starter = make_user("starter", "operator", "author")
    versions = make_config("edge", 2, starter)
    agents = make_fleet(6, running=versions[0].config_hash)
    phases = ("passed", "passed", "awaiting_approval")
    found = make_rollout(versions[1], agents=agents, by=starter, phases=phases)
    make_approval(found)
    return found


def post(client: Client, rollout: Rollout, verb: str, htmx: bool = False, **data: object):  # type: ignore[no-untyped-def]
    sent = {"revision": rollout.revision, "reason": REASON, **data}
    return client.post(f"/rollouts/{rollout.pk}/{verb}/", sent, headers=HTMX if htmx else {})


def state(rollout: Rollout) -> str:
    return Rollout.objects.get(pk=rollout.pk).state


def test_pausing_goes_back_to_the_rollout_and_says_so(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    answer = post(client, rollout, "pause")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rollouts/{rollout.pk}/")
    assert state(rollout) == "paused"
    assert f"{rollout.number} is paused." in client.get(answer.headers["Location"]).content.decode()


def test_htmx_is_sent_to_the_rollout_after_an_act(rollout: Rollout) -> None:
    answer = post(sign_in("op", "operator"), rollout, "pause", htmx=True)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/rollouts/{rollout.pk}/"


def test_an_act_leaves_its_reason_in_the_audit_log(rollout: Rollout) -> None:
    post(sign_in("op", "operator"), rollout, "pause")
    event = AuditEvent.objects.get(act="rollouts.pause")
    assert (event.actor_name, event.reason) == ("op", REASON)


def test_a_stale_form_does_nothing_and_keeps_what_was_typed(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    post(client, rollout, "pause")
    answer = post(client, rollout, "abort", htmx=True)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was done" in text
    assert REASON in text
    assert state(rollout) == "paused"


def test_the_form_after_a_stale_one_carries_the_new_revision(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    post(client, rollout, "pause")
    text = post(client, rollout, "resume").content.decode()
    now = Rollout.objects.get(pk=rollout.pk).revision
    assert f'name="revision" value="{now}"' in text


def test_sending_the_same_act_twice_does_it_once(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    assert post(client, rollout, "pause").status_code == 303
    assert post(client, rollout, "pause").status_code == 409
    assert AuditEvent.objects.filter(act="rollouts.pause").count() == 1


@pytest.mark.parametrize("verb", ["pause", "advance", "abort", "approve", "reject"])
def test_a_viewer_is_told_what_is_missing(rollout: Rollout, verb: str) -> None:
    answer = post(sign_in("vera", "viewer"), rollout, verb, phase="production")
    assert answer.status_code == 403
    assert "Needs the role" in answer.content.decode()
    assert state(rollout) == "running"


def test_a_viewer_sees_the_acts_disabled_with_the_reason(rollout: Rollout) -> None:
    text = markup(sign_in("vera", "viewer").get(f"/rollouts/{rollout.pk}/"))
    acts = text.split('id="acts"')[1].split("</details>")[0]
    assert acts.count("<button") == acts.count("disabled") == acts.count('class="why-not"') >= 3
    assert acts.count("Needs the role") >= 3
    assert "<a " not in acts


def test_aborting_without_a_reason_asks_for_one(rollout: Rollout) -> None:
    answer = post(sign_in("op", "operator"), rollout, "abort", htmx=True, reason="no")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-describedby="reason-h reason-e"' in text
    assert "Something is missing" not in text  # one thing is: it is named
    assert state(rollout) == "running"


def test_abort_rolls_back_unless_told_to_leave_them(rollout: Rollout) -> None:
    post(sign_in("op", "operator"), rollout, "abort", mode="rollback")
    assert state(rollout) == "rolling_back"


def test_abort_can_leave_the_agents_as_they_are(rollout: Rollout) -> None:
    post(sign_in("op", "operator"), rollout, "abort", mode="leave")
    assert state(rollout) == "aborted"


def test_an_approver_who_may_only_roll_back_can_open_the_abort(rollout: Rollout) -> None:
    client = sign_in("chen", "approver")
    post(client, rollout, "abort", mode="rollback")
    assert state(rollout) == "rolling_back"


def test_the_starter_cannot_approve_the_own_rollout(rollout: Rollout) -> None:
    client = sign_in("both", "approver", "operator")
    Rollout.objects.filter(pk=rollout.pk).update(
        started_by=client.session["_auth_user_id"], created_by=client.session["_auth_user_id"]
    )
    digest = Approval.objects.get().digest
    answer = post(client, rollout, "approve", phase="production", digest=digest)
    assert answer.status_code == 403
    assert "four eyes" in answer.content.decode()


def test_rejecting_keeps_the_reason_and_pauses(rollout: Rollout) -> None:
    digest = Approval.objects.get().digest
    answer = post(sign_in("chen", "approver"), rollout, "reject", phase="production", digest=digest)
    assert answer.status_code == 303
    assert Approval.objects.get().state == "rejected"
    assert Approval.objects.get().reason == REASON
    assert state(rollout) == "paused"
    page = markup(sign_in("vera", "viewer").get(f"/rollouts/{rollout.pk}/"))
    step = page.split('id="phase-3"')[1].split("</a>")[0]
    assert "Rejected by chen" in step
    assert REASON in step
    assert 'class="in is-warn"' in step
    assert "Needs approval" not in page
    assert f"Production rejected by chen: {REASON}" in page
    assert 'class="why-line is-warn"' in page


def test_the_approval_is_bound_to_the_evidence_that_was_shown(rollout: Rollout) -> None:
    client = sign_in("chen", "approver")
    page = client.get(f"/rollouts/{rollout.pk}/approve/").content.decode()
    assert Approval.objects.get().digest in page
    answer = post(client, rollout, "approve", phase="production", digest="0" * 64)
    assert answer.status_code == 409
    assert Approval.objects.get().state == "waiting"


def test_a_large_act_needs_the_number_typed(
    rollout: Rollout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "TYPE_NUMBER_FROM", 1)
    client = sign_in("op", "operator")
    assert post(client, rollout, "abort").status_code == 422
    assert post(client, rollout, "abort", number=rollout.number.lower()).status_code == 303


def test_an_act_only_returns_to_local_pages(rollout: Rollout) -> None:
    answer = post(sign_in("op", "operator"), rollout, "pause", back="//evil.example/")
    assert answer.headers["Location"] == f"/rollouts/{rollout.pk}/"


def test_the_dialog_is_a_page_without_htmx_and_a_part_with_it(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    url = f"/rollouts/{rollout.pk}/abort/"
    assert "<html" in client.get(url).content.decode()
    part = client.get(url, headers=HTMX).content.decode()
    assert part.lstrip().startswith("<dialog")
    assert "4 agents received v2" in part


def test_a_rollback_that_runs_leaves_nothing_to_press(rollout: Rollout) -> None:
    client = sign_in("op", "operator", "approver")
    post(client, rollout, "abort", mode="rollback")
    text = markup(client.get(f"/rollouts/{rollout.pk}/"))
    assert "A rollback is running." in text
    assert 'hx-get="/rollouts/' not in text.split('id="acts"')[1].split("</div>")[0].replace(
        f'hx-get="/rollouts/{rollout.pk}/" hx-trigger', ""
    )


@pytest.mark.parametrize(("role", "is_disabled"), [("author", True), ("operator", False)])
def test_who_may_not_act_is_told_before_anything_is_typed(
    rollout: Rollout, role: str, is_disabled: bool
) -> None:
    page = markup(sign_in("x", role).get(f"/rollouts/{rollout.pk}/abort/"))
    assert ('type="submit" disabled aria-describedby="may-not"' in page) is is_disabled
    assert ("Needs the role admin or operator." in page) is is_disabled


def test_an_approver_who_may_only_roll_back_can_press_it(rollout: Rollout) -> None:
    page = markup(sign_in("chen", "approver").get(f"/rollouts/{rollout.pk}/abort/"))
    assert "may-not" not in page


def test_a_revision_that_cannot_be_read_is_not_taken_for_none(rollout: Rollout) -> None:
    answer = post(sign_in("op", "operator"), rollout, "pause", revision="7x")
    assert answer.status_code == 422
    assert state(rollout) == "running"


def test_a_dialog_is_made_once_for_an_act(rollout: Rollout) -> None:
    client = sign_in("op", "operator")
    with CaptureQueriesContext(connection) as queries:
        assert post(client, rollout, "abort", mode="leave").status_code == 303
    reach = [q for q in queries.captured_queries if 'AS "ready"' in q["sql"]]
    assert len(reach) == 1


def test_what_was_done_is_said_of_what_was_asked(rollout: Rollout) -> None:
    client = sign_in("chen", "approver")
    digest = Approval.objects.get().digest
    answer = post(client, rollout, "reject", phase="production", digest=digest)
    text = client.get(answer.headers["Location"]).content.decode()
    assert f"Production of {rollout.number} is rejected." in text


def test_a_scheduled_rollout_is_cancelled(rollout: Rollout) -> None:
    Rollout.objects.filter(pk=rollout.pk).update(state="scheduled", started_at=None)
    client = sign_in("op", "operator")
    assert "Cancel…" in markup(client.get(f"/rollouts/{rollout.pk}/"))
    answer = post(client, rollout, "abort")
    text = client.get(answer.headers["Location"]).content.decode()
    assert f"{rollout.number} is cancelled." in text


def test_every_act_has_a_rule_a_page_and_a_view_of_the_api_that_needs_the_same_right() -> None:
    assert {*acts.VERBS, "start"} == api_acts.ACTS.keys()
    for act in acts.ACTS:
        assert set(act.rights or [f"rollouts.{act.verb}"]) <= VERBS.keys()
        assert api_acts.ACTS[act.verb].verbs == {"POST": f"rollouts.{act.verb}"}
        assert reverse(f"rollouts:{act.verb}", args=[1])


@pytest.mark.parametrize("one", RolloutState)
def test_a_verb_stands_once_on_a_bar(one: RolloutState) -> None:
    verbs = [act.verb for act in acts.ACTS if one in act.shown_in]
    assert len(verbs) == len(set(verbs))
