"""A supervisor and a gateway that asks for tokens: refused, let in, moved to another token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from agents.models import Agent, AgentToken
from tests.clients.supervised import marked_config
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import recorded_of

pytestmark = pytest.mark.real

BASE = marked_config("base")


@pytest.fixture
def guarded(store: None, tmp_path: Path) -> Iterator[Gateway]:
    own = Gateway(tmp_path / "gateway.log", "--auth", "token")
    try:
        yield own.start()
    finally:
        own.kill()


def new_secret() -> str:
    return AgentToken.PREFIX + secrets.token_urlsafe(24)


def allow(secret: str, agent: Agent | None = None) -> AgentToken:
    """Make a token of one agent, or one shared by a pool."""
    return AgentToken.objects.create(
        agent=agent,
        name="real clients",
        digest=hashlib.sha256(secret.encode()).hexdigest(),
        shown_prefix=secret[:12],
        created_at=timezone.now(),
        created_by="test",
    )


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_refused_supervisor_keeps_trying_and_its_collector_runs_on(
    clients: Clients, guarded: Gateway
) -> None:
    secret = new_secret()
    supervised = clients.supervised(
        guarded.ws_url, headers=bearer(secret), labels={"env": "refused"}
    )
    eventually(lambda: supervised.log().count("status=401") > 1, "refusals", seen=supervised.log)
    pid = supervised.collector_pid()

    eventually(lambda: supervised.log().count("status=401") > 3, "refusals", seen=supervised.log)
    assert not Agent.objects.filter(labels__contains={"env": "refused"}).exists()
    assert supervised.collector_pid() == pid
    allow(secret)

    recorded_of(supervised).wait_healthy()


def test_a_token_of_its_own_is_proven_by_the_connection_that_uses_it(
    clients: Clients, guarded: Gateway
) -> None:
    old, new = new_secret(), new_secret()
    pool = allow(old)
    supervised = clients.supervised(guarded.ws_url, headers=bearer(old))
    seen = recorded_of(supervised).wait_healthy()
    assert seen.sessions()[-1].principal == f"pool:{pool.pk}"
    own = allow(new, seen.agent)

    seen.offer_settings(
        {
            "opamp": {
                "destination_endpoint": guarded.ws_url,
                "heartbeat_interval_seconds": 30,
                "headers": bearer(new),
            }
        }
    )

    def proven() -> bool:
        return seen.sessions()[-1].principal == f"token:{own.pk}"

    eventually(proven, "a session with its own token", seen=seen.summary)
    assert not seen.events("refused")
    seen.offer(BASE)
    assert seen.wait_settled(BASE).error == ""
