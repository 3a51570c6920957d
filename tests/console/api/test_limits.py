from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rollouts.models import Budget, FreezeWindow
from tests.console.api.contract import assert_as_documented
from tests.console.api.people import Reply, by_token, queries_of

pytestmark = pytest.mark.django_db
WEEKEND = {
    "weekdays": [5, 6],
    "time_zone": "Europe/Berlin",
    "environment": "prod",
    "reason": "nobody is here",
}
HOLIDAYS = {"starts_at": "2026-12-24T18:00", "ends_at": "2027-01-02T06:00", "reason": "rest"}
GUARD = {"environment": "prod", "thresholds": {"failure_rate": {"critical": "5%"}}, "reason": "so"}


def put(path: str, body: dict[str, Any], role: str = "admin") -> Reply:
    return by_token(role).put(f"/api/v1/{path}", body, content_type="application/json")


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        ("freeze-windows", "weekend", WEEKEND),
        ("budgets", "region", {"max_agents": 5, "reason": "one region at a time"}),
        ("guards", "few failures", GUARD),
    ],
)
def test_a_limit_is_saved_listed_and_deleted(kind: str, name: str, body: dict[str, Any]) -> None:
    operation = kind.replace("-", "_")
    saved = assert_as_documented(f"{operation}_save", put(f"{kind}/{name}", body))
    client = by_token("viewer")
    listed = assert_as_documented(f"{operation}_list", client.get(f"/api/v1/{kind}"))
    assert listed[operation] == [saved]
    gone = by_token("admin").delete(
        f"/api/v1/{kind}/{name}", {"reason": "no longer needed"}, content_type="application/json"
    )
    assert gone.status_code == 204
    assert client.get(f"/api/v1/{kind}").json()[operation] == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("freeze-windows/x", {"reason": "r"}, "starts_at"),
        ("freeze-windows/x", {**WEEKEND, "weekdays": [7]}, "weekdays[0]"),
        ("freeze-windows/x", {**WEEKEND, "time_zone": "Mars/Base"}, "time_zone"),
        ("freeze-windows/x", {**WEEKEND, "reason": ""}, "reason"),
        ("freeze-windows/x", {"weekdays": [5], "reason": "r"}, "time_zone"),
        ("freeze-windows/x", HOLIDAYS, "starts_at"),
        ("freeze-windows/x", {**HOLIDAYS, "from_time": "18:00"}, "from_time"),
        (
            "freeze-windows/x",
            {**HOLIDAYS, "starts_at": "2026-12-24T18:00+05:00", "time_zone": "Europe/Berlin"},
            "starts_at",
        ),
        ("freeze-windows/x", {**WEEKEND, "from_time": "18:00+02:00"}, "from_time"),
        ("budgets/region", {"reason": "r"}, "max_agents"),
        ("budgets/region", {"max_share": 2, "reason": "r"}, "max_share"),
        ("guards/x", {"reason": "r"}, "thresholds"),
    ],
)
def test_a_wrong_field_is_named(path: str, body: dict[str, Any], field: str) -> None:
    answer = put(path, body)
    assert answer.status_code == 422
    assert field in [error["path"].split(".")[0] for error in answer.json()["errors"]]
    assert not FreezeWindow.objects.exists()
    assert not Budget.objects.exists()


def test_ends_without_an_offset_are_local_to_the_window() -> None:
    put("freeze-windows/x", {**HOLIDAYS, "time_zone": "Europe/Berlin"})
    window = FreezeWindow.objects.get()
    assert window.starts_at == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert window.ends_at == datetime(2027, 1, 2, 5, tzinfo=UTC)


def test_an_operator_sets_no_limits() -> None:
    assert put("freeze-windows/weekend", WEEKEND, role="operator").status_code == 403


def test_what_is_not_there_cannot_be_deleted() -> None:
    answer = by_token("admin").delete(
        "/api/v1/budgets/none", {"reason": "gone"}, content_type="application/json"
    )
    assert answer.status_code == 404


def test_queries_do_not_grow_with_limits() -> None:
    client, url = by_token("viewer"), "/api/v1/freeze-windows"
    put("freeze-windows/a", WEEKEND)
    few = queries_of(client, url)
    put("freeze-windows/b", WEEKEND)
    assert queries_of(client, url) <= few
