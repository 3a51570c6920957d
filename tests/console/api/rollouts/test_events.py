from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.utils import timezone

from rollouts.models import Measurement, Phase, Rollout
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import ROLLOUTS, created, make_edge_fleet, send
from tests.console.api.people import by_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout() -> dict[str, Any]:
    make_edge_fleet()
    found = created(start=True)
    send(f"/{found['id']}/pause", {"reason": "=cmd()"})
    return found


def test_events_are_read_oldest_first(rollout: dict[str, Any]) -> None:
    url = f"{ROLLOUTS}/{rollout['id']}/events"
    found = assert_as_documented("rollouts_events", by_token("viewer").get(url))["events"]
    assert [event["seq"] for event in found] == sorted(event["seq"] for event in found)
    assert (found[-1]["from"], found[-1]["to"]) == ("running", "paused")
    assert found[-1]["reason"] == "=cmd()"


def test_events_are_read_on_from_the_last_seen(rollout: dict[str, Any]) -> None:
    url = f"{ROLLOUTS}/{rollout['id']}/events"
    client = by_token("viewer")
    everything = client.get(url).json()["events"]
    first = client.get(f"{url}?limit=1").json()
    rest = client.get(f"{url}?after={first['next']}").json()
    assert first["events"] + rest["events"] == everything


def test_the_timeline_is_a_table_without_formulas(rollout: dict[str, Any]) -> None:
    answer = by_token("viewer").get(f"{ROLLOUTS}/{rollout['id']}/timeline?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[-1]["reason"] == "'=cmd()"
    assert rows[-1]["to"] == "paused"
    assert json.loads(rows[0]["inputs"])["version"] == 2


def test_the_timeline_is_text_with_a_line_per_event(rollout: dict[str, Any]) -> None:
    client, url = by_token("viewer"), f"{ROLLOUTS}/{rollout['id']}"
    lines = client.get(f"{url}/timeline?format=text").content.decode().splitlines()
    assert lines[0].startswith(f"{rollout['number']}: edge v")
    events = lines[lines.index("") + 1 :]
    assert len(events) == len(client.get(f"{url}/events").json()["events"])
    assert "running -> paused" in lines[-1]


def test_the_timeline_is_json_by_default(rollout: dict[str, Any]) -> None:
    client, url = by_token("viewer"), f"{ROLLOUTS}/{rollout['id']}"
    assert (
        client.get(f"{url}/timeline").json()["events"]
        == client.get(f"{url}/events").json()["events"]
    )
    assert client.get(f"{url}/timeline?format=xml").status_code == 422


def test_measurements_are_read_by_gate(rollout: dict[str, Any]) -> None:
    row = Rollout.objects.get(pk=rollout["id"])
    phase = Phase.objects.filter(rollout=row).first()
    for gate, value in (("criterion:failure_rate", 0.0), ("trigger:x", None)):
        Measurement.objects.create(
            rollout=row,
            phase=phase,
            gate=gate,
            metric="failure_rate",
            source="opamp",
            outcome="value" if value is not None else "no_data",
            value=value,
            at=timezone.now(),
        )
    url = f"{ROLLOUTS}/{rollout['id']}/measurements?gate=criterion:failure_rate"
    answer = by_token("viewer").get(url)
    found = assert_as_documented("rollouts_measurements", answer)["measurements"]
    assert [m["value"] for m in found] == [0.0]
