from __future__ import annotations

import uuid
from typing import Any

import pytest

from agents.models import Quarantine
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_session, by_token
from tests.make.agents import make_agent

pytestmark = pytest.mark.django_db
URL = "/api/v1/quarantines"
BAD = "b" * 64


def add(role: str = "operator", **body: Any) -> Reply:
    body = {"config_hash": f"sha256-{BAD.upper()}", "reason": "it crashes", **body}
    return by_token(role).post(URL, body, content_type="application/json")


def test_a_hash_is_kept_from_the_fleet() -> None:
    assert assert_as_documented("quarantines_add", add()) == {"added": 1}
    assert Quarantine.objects.get().config_hash == BAD


def test_a_hash_is_kept_from_some_agents() -> None:
    agent = make_agent()
    add(agents=[str(agent.instance_uid)])
    found = assert_as_documented("quarantines_list", by_token("viewer").get(URL))["quarantines"]
    assert [row["agent"] for row in found] == [str(agent.instance_uid)]


def test_an_unknown_agent_is_named() -> None:
    unknown = str(uuid.UUID(int=1))
    answer = add(agents=[unknown])
    assert answer.status_code == 422
    assert unknown in answer.json()["detail"]
    assert not Quarantine.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"config_hash": "x"}, {"reason": " "}, {"agents": []}, {"agents": ["x"]}, {"agent": 1}],
)
def test_a_wrong_body_is_refused(wrong: dict[str, Any]) -> None:
    assert add(**wrong).status_code == 422


def test_a_person_lifts_a_quarantine() -> None:
    add()
    url = f"{URL}/{Quarantine.objects.get().pk}/lift"
    client = by_session("approver")
    answer = client.post(url, {"reason": "fixed"}, content_type="application/json")
    assert assert_as_documented("quarantines_lift", answer)["lifted_by"] == "approver"
    again = client.post(url, {"reason": "fixed"}, content_type="application/json")
    assert again.status_code == 409


def test_a_token_never_lifts() -> None:
    add()
    url = f"{URL}/{Quarantine.objects.get().pk}/lift"
    answer = by_token("approver").post(url, {"reason": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "denied")
    assert Quarantine.objects.get().lifted_at is None


def test_a_viewer_adds_nothing() -> None:
    assert add(role="viewer").status_code == 403


def test_what_was_lifted_is_kept_and_listed_when_asked_for() -> None:
    add()
    url = f"{URL}/{Quarantine.objects.get().pk}/lift"
    by_session("approver").post(url, {"reason": "fixed"}, content_type="application/json")
    client = by_token("viewer")
    assert client.get(URL).json()["quarantines"] == []
    answer = assert_as_documented("quarantines_list", client.get(f"{URL}?lifted=true"))
    [row] = answer["quarantines"]
    assert (row["lifted_by"], row["lift_reason"]) == ("approver", "fixed")


def test_whether_lifted_is_true_or_false() -> None:
    assert by_token("viewer").get(f"{URL}?lifted=perhaps").status_code == 422


def lift_version(role: str = "approver", **body: Any) -> Reply:
    body = {"config_hash": BAD, "reason": "fixed", **body}
    return by_session(role).post(f"{URL}/lift", body, content_type="application/json")


def test_a_whole_version_is_lifted_at_once() -> None:
    agents = [str(make_agent(f"a{n}").instance_uid) for n in range(2)]
    add()
    add(agents=agents)
    assert assert_as_documented("quarantines_lift_version", lift_version()) == {"lifted": 3}
    assert not Quarantine.objects.filter(lifted_at=None).exists()
    assert lift_version().status_code == 409


def test_only_the_fleet_or_only_one_agent_is_freed() -> None:
    first, second = (str(make_agent(f"a{n}").instance_uid) for n in range(2))
    add()
    add(agents=[first, second])
    assert lift_version(fleet_only=True).json() == {"lifted": 1}
    assert lift_version(agent=first).json() == {"lifted": 1}
    left = Quarantine.objects.get(lifted_at=None)
    assert left.agent is not None
    assert str(left.agent.instance_uid) == second


def test_what_came_after_the_look_stays() -> None:
    add()
    seen = Quarantine.objects.latest("pk").pk
    add(agents=[str(make_agent().instance_uid)])
    assert lift_version(upto=seen).json() == {"lifted": 1}
    assert Quarantine.objects.filter(lifted_at=None).count() == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"config_hash": "x"}, 422),
        ({"reason": ""}, 422),
        ({"upto": 0}, 422),
        ({"agent": str(uuid.UUID(int=1))}, 422),
        ({"config_hash": "c" * 64}, 409),
    ],
)
def test_a_lift_that_cannot_be_is_refused(wrong: dict[str, Any], status: int) -> None:
    add()
    assert lift_version(**wrong).status_code == status
    assert Quarantine.objects.get().lifted_at is None


def test_an_operator_lifts_no_version() -> None:
    add()
    assert lift_version("operator").status_code == 403
