from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from rest_framework import exceptions

from console.api.errors import invalid, problem_response
from console.lib.problems import FieldError, Refused, Stale
from tests.console.api.people import by_token


def test_a_problem_carries_everything_a_script_needs() -> None:
    error = Stale("lin paused this. Nothing was done.", errors=[FieldError("revision", "is 8")])
    response = problem_response(error, {})
    assert response.status_code == 409
    assert response.data["type"] == "urn:tidegate:problem:stale"
    assert response.data["title"] == "Nothing was done."
    assert response.data["detail"] == "lin paused this. Nothing was done."
    assert response.data["errors"] == [{"path": "revision", "message": "is 8"}]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("no"), 409),
        (exceptions.MethodNotAllowed("PUT"), 405),
        (exceptions.UnsupportedMediaType("x"), 415),
        (exceptions.Throttled(wait=3), 429),
        (RequestDataTooBig("big"), 413),
        (SuspiciousOperation("odd"), 400),
        (OperationalError("server closed the connection"), 503),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    assert problem_response(error, {}).status_code == status


def test_a_wait_is_told() -> None:
    assert problem_response(exceptions.Throttled(wait=3), {})["Retry-After"] == "3"
    assert problem_response(OperationalError("away"), {})["Retry-After"] == "2"


def test_a_fault_says_nothing_of_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = problem_response(RuntimeError("secret internals"), {})
    assert response.status_code == 500
    assert "secret" not in str(response.data)
    assert "secret internals" in caplog.text


def test_each_wrong_field_has_its_path() -> None:
    detail: Any = {"phases": [{}, {"weight": ["must be a share"]}], "reason": ["is missing"]}
    problem = invalid(exceptions.ValidationError(detail).detail)
    assert [error.path for error in problem.errors] == ["phases[1].weight", "reason"]
    assert problem.detail == "phases[1].weight: must be a share (1 more)"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_an_unknown_address_is_a_problem(method: str) -> None:
    answer = getattr(Client(), method)("/api/v1/nothing/here")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_an_address_with_a_slash_at_its_end_is_told() -> None:
    assert "without a slash" in Client().get("/api/v1/agents/").json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_method_that_a_route_lacks_is_a_problem(method: str) -> None:
    answer = getattr(by_token("viewer"), method)("/api/v1/agents")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_the_request_id_of_a_problem_is_in_its_header() -> None:
    answer = Client().get("/api/v1/agents")
    assert answer.json()["request_id"] == answer["X-Request-ID"] != ""


@pytest.mark.django_db
def test_any_accept_header_is_answered_in_json() -> None:
    answer = by_token("viewer").get("/api/v1/audit", headers={"accept": "text/html"})
    assert answer["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_a_time_without_an_offset_is_not_read_as_utc() -> None:
    answer = by_token("viewer").get("/api/v1/audit?since=2026-11-24T10:00")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "since")
    assert by_token("viewer").get("/api/v1/audit?since=2026-11-24T10:00Z").status_code == 200
