"""SIGHUP to a gateway as a process: every worker takes the new certificate, and nobody is dropped (R7)."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.agents.gateway.tls.test_reload import der
from tests.agents.gateway.tls.world import World, make_world
from tests.make import certificates
from tests.make.waiting import eventually
from tests.real.gateway import Gateway

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class TlsGateway(Gateway):
    """`manage.py gateway` with the world's files in its environment."""

    def __init__(self, log: Path, world: World, *arguments: str) -> None:
        super().__init__(log, *arguments)
        self.world = world
        self.process.env["OPAMP_TLS_CERT"] = str(world.certificate)
        self.process.env["OPAMP_TLS_KEY"] = str(world.key)

    def shown(self) -> bytes | None:
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            self.world.client().wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            return tls.getpeercert(binary_form=True)

    def _answers(self) -> bool:
        assert self.process.is_running(), self.process.log_tail()
        try:
            return self.shown() is not None
        except OSError:
            return False


@pytest.fixture(params=["1", "2"], ids=["one process", "two workers"])
def gateway(
    request: pytest.FixtureRequest, transactional_db: None, tmp_path: Path
) -> Iterator[TlsGateway]:
    world = make_world(tmp_path)
    made = TlsGateway(tmp_path / "gateway.log", world, "--workers", request.param, "--auth", "none")
    made.start()
    yield made
    made.kill()


def test_every_worker_takes_the_new_certificate(gateway: TlsGateway) -> None:
    world = gateway.world
    url = f"wss://127.0.0.1:{gateway.port}"
    with connect(url, ssl=world.client(), compression=None) as steady:
        world.serve(fresh := certificates.server(world.server_ca))
        gateway.process.send(signal.SIGHUP)
        # The kernel spreads connections over the workers: many in a row have asked each of them.
        eventually(
            lambda: all(gateway.shown() == der(fresh) for _ in range(24)),
            "the new certificate of every worker",
            seen=gateway.process.log_tail,
        )
        assert steady.ping().wait(10)
    assert gateway.process.is_running()
