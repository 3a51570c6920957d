"""Every page walked: anonymous, without a role, as each role; headers that must always be there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from console import urls_pages
from tests.make.agents import keep, make_fleet
from tests.make.configs import make_config
from tests.make.people import make_user, sign_in
from tests.make.rollouts import make_approval, make_events, make_rollback, make_rollout
from tests.make.rotation import make_certificate

pytestmark = pytest.mark.django_db

OPEN = {"/login/", "/logout/", "/styleguide/", "/shared/unknown/"}
POSTED = {"/rollouts/new/preview/", "/rollbacks/new/count/"}
NEEDS_MORE = {"/configs/new/": "author", "/configs/edge/edit/": "author", "/plans/new/": "author"}
NEEDS_MORE |= {"/plans/standard/edit/": "author"}


def routes() -> list[str]:
    """Return every page route with its parameters as written."""

    def walk(patterns: list[Any], prefix: str) -> list[str]:
        found = []
        for entry in patterns:
            if isinstance(entry, URLResolver):
                found += walk(entry.url_patterns, prefix + str(entry.pattern))
            elif isinstance(entry, URLPattern):
                found.append(prefix + str(entry.pattern))
        return found

    return walk(urls_pages.urlpatterns, "/")


class World:
    """One object of each kind, so that every route can be filled in."""

    def __init__(self) -> None:
        starter = make_user("starter", "operator", "author")
        versions = make_config("edge", 2, starter)
        self.agents = make_fleet(6, running=versions[0].config_hash)
        phases = ("passed", "passed", "awaiting_approval")
        self.rollout = make_rollout(versions[1], agents=self.agents, by=starter, phases=phases)
        make_events(self.rollout, 3)
        self.approval = make_approval(self.rollout)
        self.rollback = make_rollback(versions[0].config_hash, self.agents)
        self.certificate = make_certificate(agent=self.agents[0])
        self.kept = keep("c" * 64, self.agents[0], "failed")

    def fill(self, route: str) -> str:
        for name, value in {
            "<int:rollout_id>": self.rollout.pk,
            "<int:approval_id>": self.approval.pk,
            "<int:rollback_id>": self.rollback.pk,
            "<int:certificate_id>": self.certificate.pk,
            "<uuid:uid>": self.agents[0].instance_uid,
            "<slug:name>": "standard" if route.startswith("/plans") else "edge",
            "<int:number>": 1,
            "<int:a>": 1,
            "<int:b>": 2,
            "<str:number>": self.rollout.number,
            "<str:secret>": "unknown",
            "<slug:config_hash>": self.kept.config_hash,
        }.items():
            route = route.replace(name, str(value))
        assert "<" not in route, f"{route}: tell World how to fill it"
        return route


@pytest.fixture
def world() -> World:
    return World()


def gets(world: World) -> list[str]:
    return [u for u in map(world.fill, routes()) if u not in OPEN and u not in POSTED]


def test_nobody_sees_a_page_without_signing_in(world: World) -> None:
    for url in gets(world):
        answer = Client().get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith("/login/?next="), url


def test_a_person_without_a_role_sees_nothing(world: World) -> None:
    client = sign_in("nobody")
    for url in gets(world):
        assert client.get(url).status_code == 403, url


@pytest.mark.parametrize("role", ["viewer", "author", "operator", "approver", "admin"])
def test_every_page_answers_for_every_role_that_may_see_it(world: World, role: str) -> None:
    client = sign_in(f"a-{role}", role)
    for url in gets(world):
        needed = NEEDS_MORE.get(url)
        answer = client.get(url)
        if needed and role not in {needed, "admin"}:
            assert answer.status_code == 403, url
        else:
            assert answer.status_code in {200, 302}, f"{url}: {answer.status_code}"


def test_every_page_carries_the_policy_and_no_inline_style_or_handler(world: World) -> None:
    client = sign_in("vera", "viewer", "author", "operator", "approver")
    for url in gets(world):
        answer = client.get(url)
        assert "script-src 'self' 'nonce-" in answer.headers["Content-Security-Policy"], url
        assert answer.headers["X-Request-ID"], url
        if answer.status_code != 200 or "text/html" not in answer.headers["Content-Type"]:
            continue
        text = answer.content.decode()
        assert " style=" not in text, url
        assert " onclick=" not in text, url
        assert "hx-on" not in text, url
        assert text.count("<h1") == (1 if "<html" in text else 0), url


def test_links_in_pages_lead_somewhere(world: World) -> None:
    client = sign_in("vera", "viewer", "author", "operator", "approver")
    resolver = get_resolver()
    for url in gets(world):
        answer = client.get(url)
        if answer.status_code != 200 or "text/html" not in answer.headers["Content-Type"]:
            continue
        for part in answer.content.decode().split('href="/')[1:]:
            path = "/" + part.split('"', 1)[0].split("#")[0].split("?")[0]
            if not path.startswith("/static/"):
                resolver.resolve(path)


def test_a_page_that_does_not_exist_says_so_in_the_frame() -> None:
    client = sign_in("vera", "viewer")
    answer = client.get("/rollouts/999/")
    assert answer.status_code == 404
    assert "There is no rollout R-0999" in answer.content.decode()


def test_a_problem_becomes_a_banner_for_htmx() -> None:
    client = sign_in("vera", "viewer")
    answer = client.get("/rollouts/999/", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.headers["HX-Retarget"] == "#messages"
    assert "<html" not in answer.content.decode()
