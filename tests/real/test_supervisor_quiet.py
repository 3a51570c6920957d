"""A supervisor that reports no remote config status: its effective config is its word (OP-29)."""

from __future__ import annotations

import pytest

from agents.models import Delivery
from agents.opamp.shown_config import SOURCE
from tests.clients.supervised import SupervisedCollector, marked_config
from tests.make.waiting import eventually
from tests.real.conftest import Clients
from tests.real.gateway import Gateway
from tests.real.recorded import Recorded, hash_of, recorded_of

pytestmark = pytest.mark.real

ONE, TWO = marked_config("one"), marked_config("two")
UNKNOWN = marked_config("three", processors={"batch": {}, "transmogrify": {}})
# A supervisor polls every 30 s.
POLL_S = 90
QUIET = {"reports_remote_config": False}


@pytest.fixture(scope="module", params=["ws_url", "http_url"])
def quiet(request: pytest.FixtureRequest, lasting: Clients, gateway: Gateway) -> Recorded:
    supervised = lasting.supervised(getattr(gateway, request.param), capabilities=QUIET)
    return recorded_of(supervised).wait_healthy()


def confirmed(seen: Recorded, body: str) -> Delivery:
    seen.offer(body)
    settled = seen.wait_settled(body, timeout_s=POLL_S)
    assert settled.state == Delivery.State.APPLIED
    return settled


def test_each_version_is_confirmed_by_what_it_shows(quiet: Recorded) -> None:
    for body in (ONE, TWO, ONE):
        assert confirmed(quiet, body).confirmed_by == SOURCE
        assert quiet.status.running_hash == hash_of(body)


def test_one_that_it_does_not_run_is_not_confirmed(quiet: Recorded) -> None:
    confirmed(quiet, TWO)
    quiet.offer(UNKNOWN)
    quiet.ask_full_state()
    was_sent = "it was sent, with a poll at the latest"
    eventually(
        lambda: quiet.deliveries(UNKNOWN)[-1].sent_at is not None, was_sent, timeout_s=POLL_S
    )
    quiet.ask_full_state()
    assert quiet.deliveries(UNKNOWN)[-1].state == Delivery.State.OPEN
    assert quiet.status.running_hash == hash_of(TWO)


def test_its_collector_runs_what_was_confirmed(clients: Clients, gateway: Gateway) -> None:
    supervised: SupervisedCollector = clients.supervised(gateway.ws_url, capabilities=QUIET)
    seen = recorded_of(supervised).wait_healthy()
    confirmed(seen, TWO)
    assert supervised.runs("two")
