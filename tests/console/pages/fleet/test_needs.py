"""What needs the reader, on the overview, on its page, beside the navigation and in the title."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import RefusedAgent
from rollouts.models import Acknowledgement
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_approval, make_rollout

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def operator() -> Client:
    make_fleet(1)
    RefusedAgent.objects.create(
        address="10.0.0.1", reason="credential_missing", times=1, first_at=NOW, last_at=NOW
    )
    return sign_in("oona", "operator")


def sent(client: Client, **more: str) -> dict[str, str]:
    row = RefusedAgent.objects.latest("pk")
    return {"kind": "at_the_door", "subject": "all", "facts": str(row.pk), **more}


def test_the_overview_counts_and_lists_it(operator: Client) -> None:
    page = markup(operator.get("/"))
    assert "1 thing needs you" in page
    assert "<title>(1) " in page
    assert 'id="nav-needs-a" data-n="1"' in page
    assert 'href="/agents/refused/">1 agent is refused at the door</a>' in page
    assert "Acknowledge" in page


def test_every_page_counts_it_in_title_and_navigation(operator: Client) -> None:
    for url in ("/agents/", "/audit/"):
        page = markup(operator.get(url))
        assert "<title>(1) " in page
        assert 'id="nav-needs-a" data-n="1"' in page


def test_acknowledging_takes_it_away_and_says_who(operator: Client) -> None:
    answer = operator.post("/needs/seen/", sent(operator))
    assert (answer.status_code, answer["Location"]) == (303, "/needs/")
    page = markup(operator.get("/needs/"))
    assert "Nothing needs you." in page
    assert "acknowledged by oona" in page
    assert "Nothing needs you." in markup(operator.get("/"))
    assert 'id="nav-needs-a" data-n="0"' in markup(operator.get("/agents/"))


def test_htmx_gets_the_region_anew(operator: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "needs"}
    page = markup(operator.post("/needs/seen/", sent(operator), headers=headers))
    assert page.startswith('<section id="needs"')
    assert "Nothing needs you." in page


def test_a_viewer_reads_it_and_is_told_who_acknowledges() -> None:
    RefusedAgent.objects.create(
        address="10.0.0.1", reason="credential_missing", times=1, first_at=NOW, last_at=NOW
    )
    client = sign_in("vera", "viewer")
    page = markup(client.get("/needs/"))
    assert "1 agent is refused at the door" in page
    assert "Needs the role" in page
    assert '<button class="btn sm"' not in page
    assert client.post("/needs/seen/", sent(client)).status_code == 403
    assert not Acknowledgement.objects.exists()


def test_facts_that_moved_on_are_not_acknowledged(operator: Client) -> None:
    assert operator.post("/needs/seen/", sent(operator, facts="0")).status_code == 409
    assert not Acknowledgement.objects.exists()


def test_a_question_counts_for_who_can_decide_it_only() -> None:
    make_fleet(1)
    phases = ("passed", "passed", "awaiting_approval")
    make_approval(make_rollout(make_config("edge", 2)[1], phases=phases))
    page = markup(sign_in("ada", "approver").get("/"))
    assert "1 thing needs you" in page
    assert "Approve production for R-" in page
    assert "Nothing needs you." in markup(sign_in("oona", "operator").get("/"))


def test_a_long_list_is_cut_on_the_overview_and_whole_on_its_page() -> None:
    make_fleet(1)
    for number in range(9):
        version = make_config(f"edge-{number}", 2)[1]
        make_rollout(version, state="paused")
    client = sign_in("oona", "operator")
    assert "and 3 more" in markup(client.get("/"))
    assert markup(client.get("/needs/")).count("was paused by") >= 9


def test_strings_of_a_rollout_are_escaped() -> None:
    make_fleet(1)
    rollout = make_rollout(make_config("edge", 2)[1], state="paused")
    type(rollout).objects.filter(pk=rollout.pk).update(
        pause_reason="<script>alert(1)</script>", paused_by_name="\u202eevil"
    )
    page = markup(sign_in("oona", "operator").get("/needs/"))
    assert "<script>alert" not in page
    assert "\u202e" not in page
