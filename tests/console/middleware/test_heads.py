"""HEAD is answered wherever GET is, with the same status and headers, and without a body."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.console.api.test_routes import routes as api_routes
from tests.console.api.test_routes import url_of
from tests.console.pages.test_routes import World, routes
from tests.make.agents import make_fleet
from tests.make.configs import make_config
from tests.make.people import sign_in

pytestmark = pytest.mark.django_db

OWN = {"X-Request-ID", "Content-Security-Policy", "Set-Cookie", "Content-Length"}


def same_head(client: Client, url: str) -> None:
    got, head = client.get(url), client.head(url)
    assert head.status_code == got.status_code, url
    assert head.getvalue() == b"", url
    for name in got.headers.keys() - OWN:
        assert head[name] == got[name], (url, name)


@pytest.mark.parametrize("url", ["/healthz", "/version", "/metrics", "/login/", "/", "/none"])
def test_nobody_is_asked_to_sign_in_for_a_head(url: str) -> None:
    same_head(Client(), url)


def test_every_page_answers_head_as_it_answers_get() -> None:
    world = World()
    client = sign_in("everybody", "viewer", "author", "operator", "approver", "admin")
    for route in routes():
        if route not in {"/logout/", "/styleguide/", "/rollouts/new/preview/"}:
            same_head(client, world.fill(route))


@pytest.mark.parametrize(
    "pattern", [p.values[0] for p in api_routes() if p.values[1] == "GET"], ids=lambda p: p.name
)
def test_every_address_of_the_api_does_too(pattern: Any) -> None:
    make_config("edge", 1)
    client = sign_in("everybody", "viewer", "author", "operator", "approver", "admin")
    url = url_of(pattern)
    if "/wait" not in url:
        same_head(client, url)


def test_the_length_is_that_of_the_body_which_get_sends() -> None:
    head = Client().head("/login/", headers={"accept-encoding": "gzip"})
    assert head["Content-Encoding"] == "gzip"
    assert int(head["Content-Length"]) > 200


def test_rows_that_would_be_streamed_are_not_read() -> None:
    make_fleet(3)
    head = sign_in("vera", "viewer").head("/agents/export.csv")
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert "Content-Length" not in head
