"""The pages of certificates: list, one, the tab of an agent, acts with reasons, and metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from agents.opamp.bits import ACCEPTS_OPAMP_SETTINGS
from certs.actions.pause import pause_rotation
from certs.models import Certificate, RotationPause
from tests.make.agents import make_agent
from tests.make.people import make_actor, sign_in
from tests.make.rotation import make_certificate

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def page(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.fixture
def viewer() -> Client:
    return sign_in("vera", Role.VIEWER)


@pytest.fixture
def operator() -> Client:
    return sign_in("olga", Role.OPERATOR)


def test_before_the_first_one_the_page_says_how_to_begin(viewer: Client) -> None:
    assert "CERTIFICATES_CA_FILE" in page(viewer, "/certificates/")


def test_the_list_says_how_all_stand_and_when_they_end(viewer: Client) -> None:
    for days in (0.5, 2, 6, 40):
        make_certificate(days=days)
    make_certificate("failed")
    make_certificate("pending", is_approved=False)
    text = page(viewer, "/certificates/")
    assert "4 in use" in text
    assert "1 waits for approval" in text
    assert "80" in text
    assert "within a day" in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"edge-0", "edge-1", "edge-2", "edge-3"}),
        ("?show=in-use", {"edge-0", "edge-1"}),
        ("?show=failed", {"edge-2"}),
        ("?show=waiting", {"edge-3"}),
        ("?show=over", set()),
        ("?within=3", {"edge-0"}),
        ("?show=nonsense&within=junk", {"edge-0", "edge-1", "edge-2", "edge-3"}),
    ],
)
def test_the_list_is_narrowed(viewer: Client, query: str, names: set[str]) -> None:
    make_certificate(days=2)
    make_certificate(days=20)
    make_certificate("failed")
    make_certificate("pending", is_approved=False)
    text = page(viewer, f"/certificates/{query}")
    assert {f"edge-{number}" for number in range(4) if f"edge-{number}" in text} == names


def test_the_list_costs_the_same_however_many(viewer: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            page(viewer, "/certificates/")
        return len(found)

    for _ in range(3):
        make_certificate()
    few = queries()
    for _ in range(40):
        make_certificate()
    assert queries() <= few


def test_one_certificate_shows_what_it_is_and_what_the_agent_said(viewer: Client) -> None:
    one = make_certificate("failed", says="<script>alert(1)</script>")
    text = page(viewer, f"/certificates/{one.pk}/")
    assert one.fingerprint in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_a_certificate_that_is_not_there_is_a_404(viewer: Client) -> None:
    page(viewer, "/certificates/4711/", 404)


def test_the_agent_has_a_tab_of_its_certificates(viewer: Client) -> None:
    one = make_certificate()
    text = page(viewer, f"/agents/{one.agent.instance_uid}/certificate/")
    assert f"/certificates/{one.pk}/" in text
    other = make_agent("bare")
    assert "No certificate" in page(viewer, f"/agents/{other.instance_uid}/certificate/")


def test_a_viewer_sees_why_the_acts_are_not_for_them(viewer: Client) -> None:
    one = make_certificate()
    assert "Needs the role" in page(viewer, f"/certificates/{one.pk}/")
    answer = viewer.post(f"/certificates/{one.pk}/revoke/", {"reason": "x"})
    assert answer.status_code == 403
    one.refresh_from_db()
    assert one.state == "installed"


def test_an_operator_approves_and_revokes_with_a_reason(operator: Client) -> None:
    waits = make_certificate("pending", is_approved=False)
    assert operator.post(f"/certificates/{waits.pk}/approve/", {"reason": ""}).status_code == 422
    answer = operator.post(f"/certificates/{waits.pk}/approve/", {"reason": "known host"})
    assert answer.status_code == 303
    waits.refresh_from_db()
    assert waits.is_approved
    one = make_certificate()
    operator.post(f"/certificates/{one.pk}/revoke/", {"reason": "stolen"})
    text = page(operator, f"/certificates/{one.pk}/")
    assert "Revoked: stolen" in text
    assert operator.post(f"/certificates/{one.pk}/revoke/", {"reason": "again"}).status_code == 409
    assert operator.post(f"/certificates/{one.pk}/cancel/", {"reason": "x"}).status_code == 404


def test_renewals_that_are_held_up_are_said_and_resumed(operator: Client) -> None:
    pause_rotation(by=make_actor(Role.ADMIN, name="ada"), why="five of six failed")
    assert "five of six failed" in page(operator, "/certificates/")
    operator.post("/certificates/resume/", {"reason": "mended"})
    assert RotationPause.objects.get().ended_by == "olga"


def test_metrics_say_the_first_end_and_the_results(client: Client) -> None:
    make_certificate(days=2)
    make_certificate(days=9)
    make_certificate("failed")
    text = page(client, "/metrics")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert 86_000 < float(values["opamp_cert_expiry_seconds"]) < 172_800
    assert float(values['opamp_cert_rotation_total{result="installed"}']) == 2
    assert float(values['opamp_cert_rotation_total{result="failed"}']) == 1
    assert float(values["opamp_cert_rotation_success_ratio"]) == pytest.approx(2 / 3)
    assert float(values["opamp_cert_rotation_paused"]) == 0


def test_an_agent_is_given_one_from_its_page_where_that_is_allowed(
    operator: Client, viewer: Client, settings: Any
) -> None:
    agent = make_agent("bare", capabilities=ACCEPTS_OPAMP_SETTINGS)
    tab, push = (
        f"/agents/{agent.instance_uid}/certificate/",
        f"/certificates/push/{agent.instance_uid}/",
    )
    assert push not in page(operator, tab)
    operator.post(push, {"reason": "no requests"})
    assert not Certificate.objects.exists()
    settings.CERTIFICATES_PUSH = True
    assert push in page(operator, tab)
    assert push not in page(viewer, tab)
    assert viewer.post(push, {"reason": "x"}).status_code in {303, 403}
    assert not Certificate.objects.exists()
    assert operator.post(push, {"reason": "no requests"}).status_code == 303
    assert Certificate.objects.get().mode == "push"
