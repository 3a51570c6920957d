"""No body and no address makes the API fail: every answer is below 500, and a problem if an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.console.api.people import by_session, by_token
from tests.console.api.test_routes import WRITES, routes, url_of

pytestmark = pytest.mark.django_db
FAMILIAR = ["config", "plan", "selector", "reason", "phase", "version", "agents", "set", "start"]
KINDS = ["application/json", "application/x-www-form-urlencoded"]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{",
    b"\x00\xff\xfe",
    b'{"reason": "\\u0000"}',
    b'{"reason": "\\ud800", "phase": "x"}',
    b'{"reason": {"$gt": ""}, "phase": ["x"], "selector": [1], "config": {}}',
    b'{"version": 1e400, "revision": -1, "config": "edge", "selector": "*", "plan": {}}',
    b'{"version": 99999999999999999999, "config": "edge", "selector": {"labels": 1}, "plan": []}',
    b'{"start_at": "9999-12-31T23:59:59Z", "overrides": [], "when_busy": null}',
    b"a=1&b=%00",
    b"[" * 5000,
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FAMILIAR) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
bodies = st.dictionaries(st.sampled_from(FAMILIAR), values, max_size=6)


def writes() -> list[Any]:
    return [param for param in routes() if param.values[1] in WRITES]


@pytest.fixture
def everybody() -> Client:
    return by_session("author", "operator", "approver")


def check(client: Client, method: str, url: str, body: bytes, kind: str) -> None:
    answer = client.generic(method, url, body, content_type=kind)
    assert answer.status_code < 500, (body, answer.content)
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["detail"]


@pytest.mark.parametrize(("pattern", "method"), writes())
def test_hostile_bodies_are_refused(pattern: Any, method: str, everybody: Client) -> None:
    for index, body in enumerate(BODIES):
        check(everybody, method, url_of(pattern), body, KINDS[index % len(KINDS)])


@pytest.mark.parametrize(("pattern", "method"), writes())
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies)
def test_any_json_is_answered(pattern: Any, method: str, everybody: Client, body: Any) -> None:
    check(everybody, method, url_of(pattern), json.dumps(body).encode(), "application/json")


@pytest.mark.parametrize(
    "query",
    ["after=%00", "limit=%FF", "selector=%00", "selector=(((", "since=%00", "since=2026-99-99T9"],
)
@pytest.mark.parametrize("path", ["agents", "audit", "approvals", "quarantines"])
def test_hostile_queries_are_refused_or_ignored(path: str, query: str) -> None:
    answer = by_token("viewer").get(f"/api/v1/{path}?{query}")
    assert answer.status_code in (200, 422)


def test_a_huge_body_is_too_large() -> None:
    body = b'{"selector": "' + b"x" * 1024 * 1024 + b'"}'
    answer = by_token("author").generic("PUT", "/api/v1/selectors/x", body)
    assert answer.status_code == 413
