"""The timeline as a file: the incident text that a person puts into a report."""

from __future__ import annotations

import pytest

from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_events, make_rollout

pytestmark = pytest.mark.django_db


def test_the_incident_text_has_a_line_per_event_and_no_markup() -> None:
    versions = make_config("edge", 2)
    rollout = make_rollout(versions[1])
    make_events(rollout, 3)
    answer = sign_in("op", "operator").get(f"/rollouts/{rollout.pk}/timeline/?format=text")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    head, events = answer.content.decode().strip().split("\n\n", 1)
    assert head.startswith(f"{rollout.number}: edge v2")
    assert len(events.splitlines()) == 3
    assert all("deploying" in line for line in events.splitlines())
    assert "<" not in head


def test_the_incident_text_needs_a_role() -> None:
    rollout = make_rollout(make_config("edge", 1)[0])
    answer = sign_in("nobody").get(f"/rollouts/{rollout.pk}/timeline/?format=text")
    assert answer.status_code == 403
