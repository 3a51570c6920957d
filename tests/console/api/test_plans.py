from __future__ import annotations

from typing import Any

import pytest

from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token

pytestmark = pytest.mark.django_db
PLAN = b"""phases:
  - {name: canary, weight: 10%, duration: 15m}
  - {name: all, weight: 100%, duration: 30m, auto_advance: false}
"""


def save(body: bytes = PLAN, name: str = "mine", role: str = "author") -> Reply:
    return by_token(role).generic("PUT", f"/api/v1/plans/{name}", body, content_type="text/yaml")


def test_a_plan_is_saved_and_read_back() -> None:
    saved = assert_as_documented("plans_save", save())
    read = assert_as_documented("plans_read", by_token("viewer").get("/api/v1/plans/mine"))
    assert saved == read
    assert [phase["manual"] for phase in read["phases"]] == [False, True]
    assert read["text"] == PLAN.decode()


def test_plans_are_listed() -> None:
    save()
    found = assert_as_documented("plans_list", by_token("viewer").get("/api/v1/plans"))
    assert "mine" in [plan["name"] for plan in found["plans"]]


def test_a_wrong_plan_is_refused_with_its_line() -> None:
    answer = save(b"phases:\n  - {name: canary, weight: 10, duration: 15m}\n")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "mine.yaml:2"


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x00", b"[]", b"phases: {a: &x [*x]}"])
def test_what_is_no_plan_is_refused(body: bytes) -> None:
    assert save(body).status_code == 422


def test_an_operator_writes_no_plans() -> None:
    assert save(role="operator").status_code == 403


def test_an_unknown_plan_is_missing() -> None:
    assert by_token("viewer").get("/api/v1/plans/none").status_code == 404


@pytest.mark.parametrize("selector", ["env=prod", {"labels": {"env": "prod"}}])
def test_a_selector_is_saved_in_either_form(selector: Any) -> None:
    url = "/api/v1/selectors/prod"
    body = {"selector": selector}
    answer = by_token("author").put(url, body, content_type="application/json")
    saved = assert_as_documented("selectors_save", answer)
    assert saved.pop("notes") == []
    assert (saved["selector"], saved["yaml"]) == ("env=prod", {"labels": {"env": "prod"}})
    listed = assert_as_documented("selectors_list", by_token("viewer").get("/api/v1/selectors"))
    assert listed["selectors"] == [saved]


@pytest.mark.parametrize(
    "body",
    [{}, {"selector": 1}, {"selector": None}, {"selector": ""}, {"selector": "a=b", "x": 1}, []],
)
def test_what_is_no_selector_is_refused(body: Any) -> None:
    answer = by_token("author").put("/api/v1/selectors/x", body, content_type="application/json")
    assert answer.status_code == 422


WATCHED = (
    PLAN
    + b"""rollback:
  triggers:
    - name: busy
      condition: rate(process_cpu_seconds_total[5m]) > 0.1
      for: 5m
"""
)


def check(body: bytes = b"", name: str = "mine", role: str = "viewer") -> Reply:
    url = f"/api/v1/plans/{name}/check"
    return by_token(role).generic("POST", url, body, content_type="text/yaml")


def test_a_mistake_in_promql_is_refused_with_file_line_and_column() -> None:
    answer = save(WATCHED.replace(b"[5m])", b"[5m]"))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["path"] == "mine.yaml:7"
    assert error["message"] == "condition is wrong at line 1, column 5: ( is never closed"


def test_a_query_of_ones_own_is_read_as_well() -> None:
    criterion = b'{metric: own, operator: "<", threshold: 1, query: "a b"}'
    body = PLAN.replace(
        b"duration: 15m}", b"duration: 15m, success_criteria: [" + criterion + b"]}"
    )
    answer = save(body)
    assert answer.status_code == 422
    assert "line 1, column 3: b is not expected" in answer.json()["errors"][0]["message"]


def test_a_check_saves_nothing_and_says_that_nobody_can_be_asked(settings: Any) -> None:
    settings.PROMETHEUS_URL = ""
    found = assert_as_documented("plans_check", check(WATCHED))
    assert found["today"][0]["name"] == "busy"
    assert "PROMETHEUS_URL" in found["today"][0]["trouble"]
    assert check().status_code == 404
    save(WATCHED)
    assert check().json() == found


def test_a_server_that_is_away_is_an_answer(settings: Any) -> None:
    settings.PROMETHEUS_URL = "http://127.0.0.1:9"
    found = assert_as_documented("plans_check", check(WATCHED))
    assert "gives no answer" in found["today"][0]["says"]
