"""A config with two versions and agents that could take them, for tests of rollouts over REST."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from rollouts.actions.files.upload_config import upload_config
from rollouts.loop.tick import tick_one
from tests.console.api.people import Reply, by_token, person
from tests.console.api.test_configs import GOOD, OTHER
from tests.make.agents import make_agent, make_gateway

ROLLOUTS = "/api/v1/rollouts"
MANUAL = {"phases": [{"name": "all", "weight": "100%", "duration": "1m", "auto_advance": False}]}
PLAIN = {"phases": [{"name": "all", "weight": "100%", "duration": "1m"}]}
WANTED = {"config": "edge", "plan": PLAIN, "selector": "*", "reason": "raise the batch size"}


def make_edge_fleet(agents: int = 3) -> None:
    """Create config edge (v1, v2), and connected agents that accept remote config and run v1."""
    by = Actor.of(person("author"))
    running = upload_config(name="edge", body=GOOD, by=by).version.config_hash
    upload_config(name="edge", body=OTHER, by=by)
    status = {
        "gateway": make_gateway(),
        "connected": True,
        "healthy": True,
        "config_hash": running,
        "running_hash": running,
        "config_status": 1,
        "last_seen_at": timezone.now(),
    }
    for number in range(agents):
        make_agent(
            f"gw-{number}",
            labels={"env": "prod"},
            capabilities=0xFFFF,
            status=dict(status),
            desired_hash=running,
        )


def send(path: str, body: Any = None, client: Client | None = None, **options: Any) -> Reply:
    """POST a JSON body to a path under `rollouts`, as an operator's token unless told otherwise."""
    client = client or by_token("operator")
    return client.post(f"{ROLLOUTS}{path}", body or {}, content_type="application/json", **options)


def create(client: Client | None = None, **changes: Any) -> Reply:
    """Send a new rollout."""
    return send("", {**WANTED, **changes}, client)


def created(**changes: Any) -> dict[str, Any]:
    """Return a new rollout as it was answered."""
    answer = create(**changes)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def tick() -> None:
    """Let the engine do what is due now."""
    for _ in range(20):
        if not tick_one(timezone.now()):
            return
