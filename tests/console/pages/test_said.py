"""The block of what agents said, as a page shows it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from rollouts.delivering import counts
from rollouts.models import Rollout, Target
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_approval, make_rollout

pytestmark = pytest.mark.django_db

HOSTILE = 'exporters::debug: <script>alert("x")</script>\u202e ' + "y" * 9_000


def make_failed(text: str = HOSTILE, failed: int = 9) -> Rollout:
    """A running rollout of 20 agents, of which the first ones, on an older build, refused it."""
    versions = make_config("edge", 2, make_user("lin", "operator"))
    agents = make_fleet(20, version="0.149.0")
    for agent in agents[:failed]:
        agent.version = "0.146.1"
        agent.labels = {**agent.labels, "version": "0.146.1"}
        agent.save(update_fields=["version", "labels"])
    rollout = make_rollout(versions[1], agents=agents, phases=("observing",) * 3)
    refused = Target.objects.filter(rollout=rollout, agent__in=agents[:failed])
    refused.update(state="failed", error=text)
    counts.recount(rollout.phases.all(), timezone.now())
    return rollout


@pytest.fixture
def client() -> Client:
    return sign_in("vera", "viewer")


def test_a_rollout_says_what_its_agents_said_once(client: Client) -> None:
    page = markup(client.get(f"/rollouts/{make_failed().pk}/"))
    assert page.count('class="error-text"') == 1
    assert "9 agents" in page
    assert "<code>exporter debug</code>" in page


def test_hostile_text_is_text(client: Client) -> None:
    page = markup(client.get(f"/rollouts/{make_failed().pk}/"))
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "y" * 3_000 not in page


def test_a_line_is_linked_to_its_version(client: Client) -> None:
    rollout = make_failed("processors::batch::send_batch_size: too many")
    page = markup(client.get(f"/rollouts/{rollout.pk}/"))
    assert '<a href="/configs/edge/v/2/#L6">line 6</a> <code>send_batch_size: 200</code>' in page
    assert 'v1 had <a href="/configs/edge/v/1/#L6"><code>send_batch_size: 100</code></a>' in page


def test_what_sets_them_apart_leads_to_a_rollout_without_them(client: Client) -> None:
    rollout = make_failed()
    page = markup(client.get(f"/rollouts/{rollout.pk}/"))
    assert (
        "<b>9 of 9 failures are <code>version=0.146.1</code></b>, 0 of the 11 that run it." in page
    )
    url = "/rollouts/new/?config=edge&amp;version=2&amp;q=env%3Dprod%2Cversion+notin+%280.146.1%29"
    assert f'href="{url}&amp;' in page
    link = page.split(f'href="{url}', 1)[1].split('"', 1)[0]
    assert "title=R-0001+without+version%3D0.146.1" in link.replace(rollout.number, "R-0001")
    assert link.endswith("&amp;when_busy=supersede")  # it still runs: the new one takes over


def test_the_rollout_without_them_has_the_same_plan_where_that_is_saved(client: Client) -> None:
    rollout = make_failed()
    Rollout.objects.filter(pk=rollout.pk).update(plan_name="quick", spread_label="region")
    page = markup(client.get(f"/rollouts/{rollout.pk}/"))
    assert "&amp;plan=quick&amp;spread=region&amp;" in page
    Rollout.objects.filter(pk=rollout.pk).update(plan_name="of its own")
    assert "&amp;plan=" not in markup(client.get(f"/rollouts/{rollout.pk}/"))


def test_one_that_is_over_is_not_superseded(client: Client) -> None:
    rollout = make_failed()
    Rollout.objects.filter(pk=rollout.pk).update(state="aborted")
    assert "when_busy" not in markup(client.get(f"/rollouts/{rollout.pk}/"))


def test_nothing_is_asked_while_nobody_has_failed(client: Client) -> None:
    page = markup(client.get(f"/rollouts/{make_failed(failed=0).pk}/"))
    assert 'id="errors"' in page
    assert "What the agents said" not in page


def test_an_approval_folds_what_was_said_before_it() -> None:
    rollout = make_failed("processors::batch::send_batch_size: too many")
    make_approval(rollout)
    page = markup(sign_in("chen", "approver").get("/approvals/"))
    assert page.count('class="error-text"') == 1
    assert '<a href="/configs/edge/v/2/#L6">line 6</a>' in page
