from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from rollouts.models import Measurement, Rollout
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in
from tests.make.rollouts import make_readings, make_rollout

pytestmark = pytest.mark.django_db

GATE = "criterion:failure_rate"


@pytest.fixture
def rollout() -> Rollout:
    versions = make_config("edge", 2)
    found = make_rollout(versions[1], agents=make_fleet(6, running=versions[0].config_hash))
    make_readings(found, 60)
    newest = Measurement.objects.latest("pk")
    newest.inputs = {"control": {"value": 0.25, "low": None, "high": None, "agents": 4}}
    newest.value, newest.breached = 0.5, True
    newest.save(update_fields=["inputs", "value", "breached"])
    return found


def ask(rollout: Rollout, query: str = f"gate={GATE}", **headers: str) -> Any:
    client = sign_in("vera", "viewer")
    return client.get(f"/rollouts/{rollout.pk}/readings/?{query}", headers=headers)


def test_a_gate_lists_its_readings_newest_first_with_both_groups(rollout: Rollout) -> None:
    page = markup(ask(rollout))
    assert '<svg class="readings"' in page
    first = page[page.index("<tbody>") : page.index("</tr>", page.index("<tbody>"))]
    assert "50 %" in first
    assert "25 %" in first
    assert "Beyond the limit" in first
    assert page.count("<tr>") == 1 + 50
    assert "Older" in page


def test_the_list_alone_answers_an_open_disclosure(rollout: Rollout) -> None:
    headers = {"HX-Request": "true", "HX-Target": "gate-criterion-failure-rate-list"}
    page = markup(ask(rollout, **headers))
    assert "<html" not in page
    assert "<table" in page


def test_the_file_has_plain_numbers_oldest_first(rollout: Rollout) -> None:
    text = ask(rollout, f"gate={GATE}&format=csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 60
    assert (rows[0]["value"], rows[0]["control_value"]) == ("0.001", "")
    assert (rows[-1]["value"], rows[-1]["control_value"], rows[-1]["beyond_limit"]) == (
        *("0.5", "0.25"),
        "True",
    )


def test_json_is_the_same_rows(rollout: Rollout) -> None:
    rows = ask(rollout, f"gate={GATE}&format=json").json()["readings"]
    assert len(rows) == 60
    assert rows[-1]["control_agents"] == 4


@pytest.mark.parametrize("gate", ["criterion:nothing", "<script>"])
def test_a_gate_that_is_not_there_is_said(rollout: Rollout, gate: str) -> None:
    answer = ask(rollout, f"gate={gate}")
    assert answer.status_code == 404
    assert b"<script>alert" not in answer.content
