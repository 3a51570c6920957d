from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.actor import Actor
from console.lib.processes.stopping import stopping
from rollouts.actions.abort import abort
from tests.console.api.contract import assert_as_documented
from tests.console.api.fleet import MANUAL, ROLLOUTS, created, make_edge_fleet, send, tick
from tests.console.api.people import Reply, by_token, person


def wait(rollout: dict[str, Any], query: str) -> Reply:
    return by_token("viewer").get(f"{ROLLOUTS}/{rollout['id']}/wait?{query}")


@pytest.mark.django_db
def test_the_time_is_up() -> None:
    make_edge_fleet()
    found = assert_as_documented("rollouts_wait", wait(created(), "timeout=0s"))
    assert found["timed_out"] is True
    assert found["state"] == "draft"


@pytest.mark.django_db
def test_a_finished_rollout_is_answered_whatever_was_waited_for() -> None:
    make_edge_fleet()
    rollout = created(start=True)
    send(f"/{rollout['id']}/abort", {"reason": "enough of it"})
    for until in ("finished", "awaiting_approval", "all"):
        assert wait(rollout, f"until={until}&timeout=9m").json()["timed_out"] is False


@pytest.mark.django_db
def test_a_phase_that_waits_for_approval_is_answered() -> None:
    make_edge_fleet()
    rollout = created(start=True, plan=MANUAL)
    tick()
    assert wait(rollout, "until=awaiting_approval&timeout=9m").json()["timed_out"] is False
    assert wait(rollout, "until=all&timeout=9m").json()["timed_out"] is False
    assert wait(rollout, "until=finished&timeout=0").json()["timed_out"] is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["until=none", "timeout=11m", "timeout=soon", "timeout=-1", "timeout=99999999999s"]
)
def test_a_wait_that_makes_no_sense_is_refused(query: str) -> None:
    make_edge_fleet()
    answer = wait(created(), query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == query.split("=")[0]


@pytest.mark.django_db
def test_a_process_that_stops_lets_go() -> None:
    make_edge_fleet()
    rollout = created()
    stopping.set()
    try:
        answer = wait(rollout, "timeout=9m")
    finally:
        stopping.clear()
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


@pytest.mark.django_db(transaction=True)
def test_a_waiting_request_notices_what_others_do() -> None:
    make_edge_fleet()
    rollout = created(start=True)
    answers: list[Reply] = []

    def ask() -> None:
        answers.append(wait(rollout, "until=finished&timeout=60s"))
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    abort(rollout_id=rollout["id"], by=Actor.of(person("operator")), reason="enough of it")
    asking.join(60)
    assert answers[0].json()["state"] == "aborted"
    assert answers[0].json()["timed_out"] is False
