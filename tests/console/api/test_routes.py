"""Rules that every route of the API keeps, asked of the URL table itself."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from accounts import policy
from console.api.urls import urlpatterns
from console.api.views import ApiView

WRITES = ("POST", "PUT", "PATCH", "DELETE")
READ_ONLY_POSTS = {"rollout-preview", "plan-check"}
ANSWERS_A_SECRET = {("share-links", "POST")}  # what a key answers again is kept; a secret is not
VALUES = {"uid": str(uuid.UUID(int=1)), "pk": "1", "name": "edge", "number": "1", "act": "pause"}


def routes() -> list[Any]:
    found = []
    for pattern in urlpatterns:
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        if issubclass(view, ApiView):
            found += [pytest.param(pattern, m, id=f"{m} {pattern.name}") for m in view.verbs]
    return found


def view_of(pattern: URLPattern) -> type[ApiView]:
    view: type[ApiView] = pattern.callback.view_class  # type: ignore[attr-defined]
    return view


def url_of(pattern: URLPattern) -> str:
    text = f"/api/v1/{pattern.pattern}"
    for name, value in VALUES.items():
        for kind in ("str", "int", "slug"):
            text = text.replace(f"<{kind}:{name}>", value)
    return text


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda p: str(p.name))
def test_every_method_names_a_verb_of_the_policy(pattern: URLPattern) -> None:
    view = pattern.callback.view_class  # type: ignore[attr-defined]
    if not issubclass(view, ApiView):
        return
    methods = {name.upper() for name in view.http_method_names if hasattr(view, name)}
    assert methods - {"HEAD", "OPTIONS"} == set(view.verbs)
    assert set(view.verbs.values()) <= set(policy.VERBS)


@pytest.mark.parametrize(("pattern", "method"), routes())
def test_every_write_obeys_idempotency_keys(pattern: URLPattern, method: str) -> None:
    if (pattern.name, method) in ANSWERS_A_SECRET:
        return
    if method in WRITES and pattern.name not in READ_ONLY_POSTS:
        handler = getattr(view_of(pattern), method.lower())
        assert getattr(handler, "obeys_idempotency_key", False)


@pytest.mark.parametrize(("pattern", "method"), routes())
def test_nobody_gets_in_anywhere(pattern: URLPattern, method: str) -> None:
    answer = Client().generic(method, url_of(pattern))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
