"""Each test runs over a WebSocket and, as one of the slow tests, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.misbehaving.world import World, world

HTTP = pytest.param(1.0, id="http", marks=pytest.mark.slow)


@pytest.fixture(params=[pytest.param(0.0, id="websocket"), HTTP])
def here(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[World]:
    """A world without agents."""
    with world(request.param) as made:
        yield made
