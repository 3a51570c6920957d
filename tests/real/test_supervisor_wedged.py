"""A supervisor that keeps a config which cannot run refuses everything from then on.

It validates each new config together with the one it keeps: null sections lie over the sections of
the new one, what ran before included. Only an empty storage helps, and gives it a new uid.
"""

from __future__ import annotations

import shutil

import pytest

from agents.models import ConfigStatus, Delivery
from tests.clients.supervised import marked_config
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import hash_of, recorded_of

pytestmark = pytest.mark.real

NULLS = {
    "sections": "receivers:\nprocessors:\nexporters:\nextensions:\nservice:\n",
    "a pipeline": "receivers:\n  otlp:\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n",
}


@pytest.mark.parametrize("nulls", NULLS.values(), ids=NULLS.keys())
def test_it_is_recognised_and_over_when_its_storage_is_removed(
    clients: Clients, gateway: Gateway, nulls: str
) -> None:
    base, other = marked_config("base"), marked_config("other")
    supervised = clients.supervised(gateway.ws_url)
    seen = recorded_of(supervised).wait_healthy()
    seen.offer(base)
    seen.wait_status(base, ConfigStatus.APPLIED)

    seen.offer(nulls)
    seen.wait_status(nulls, ConfigStatus.FAILED)
    assert seen.status.wedged_since == ""
    seen.offer(base)
    assert seen.wait_settled(base).state == Delivery.State.FAILED
    assert (seen.status.wedged_since, seen.status.running_hash) == (hash_of(nulls), "")
    seen.offer(other)
    assert seen.wait_settled(other).state == Delivery.State.FAILED
    assert seen.status.wedged_since == hash_of(nulls)

    supervised.stop()
    shutil.rmtree(supervised.storage)
    supervised.storage.mkdir()
    supervised.start()
    fresh = recorded_of(supervised).wait_healthy()
    assert fresh.uid != seen.uid
    fresh.offer(base)
    assert fresh.wait_settled(base).state == Delivery.State.APPLIED
    assert fresh.status.wedged_since == ""
