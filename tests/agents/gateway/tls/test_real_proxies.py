"""Through a real nginx or HAProxy that ends TLS (SEC-08): who an agent is, who is refused, and that what
clients write themselves is cleared (SEC-07)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from agents.gateway.options import ProxyOptions
from agents.models import Session
from console.embedded.server import free_port
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.running import RunningGateway, Starter
from tests.agents.gateway.sockets.test_refused import refused
from tests.agents.gateway.tls.conftest import Secure
from tests.agents.gateway.tls.proxies import running
from tests.agents.gateway.tls.test_mtls import outcome_of
from tests.agents.gateway.tls.test_proxy import LOOPBACK, as_bytes, as_envoy, as_pem
from tests.agents.gateway.tls.world import World
from tests.make import certificates
from tests.make.waiting import eventually

pytestmark = pytest.mark.slow


class Front:
    """A gateway with nginx before it."""

    def __init__(self, gateway: RunningGateway, port: int) -> None:
        self.gateway = gateway
        self.port = port

    def url(self, transport: str) -> str:
        return f"{'wss' if transport == 'ws' else 'https'}://127.0.0.1:{self.port}/v1/opamp"


HEADERS = {"nginx": "X-SSL-Client-Cert", "haproxy": "Client-Cert"}


@pytest.fixture(params=HEADERS)
def front(request: pytest.FixtureRequest, world: World, start_gateway: Starter) -> Iterator[Front]:
    world.trust()
    (world.folder / "agent-ca.crt").write_text(world.agent_ca.pem)
    proxies = ProxyOptions(trusted=LOOPBACK, certificate_header=HEADERS[request.param])
    gateway, port = start_gateway(auth="mtls", proxies=proxies), free_port()
    with running(request.param, world.folder, port, gateway.port):
        yield Front(gateway, port)


def through(
    front: Front, secure: Secure, tls: object, transport: str, **words: object
) -> FakeAgent:
    return secure(front.gateway, tls, transport, url=front.url(transport), **words)


def test_sec_08_an_agent_is_who_its_certificate_says(
    front: Front, world: World, secure: Secure, transport: str
) -> None:
    uid = uuid.uuid4()
    tls = world.client(certificates.client(world.agent_ca, uid))
    agent = through(front, secure, tls, transport, uid=uid.bytes)
    assert not agent.begin().HasField("error_response")
    stored(agent, connected=True)
    session = eventually(Session.objects.filter(agent=row(agent)).first, "its session")
    assert session.principal.startswith("certificate:")
    assert session.address.startswith("127.0.0.1:")


def test_sec_08_an_expired_one_is_refused_with_a_sentence(
    front: Front, world: World, secure: Secure, transport: str
) -> None:
    uid = uuid.uuid4()
    tls = world.client(certificates.client(world.agent_ca, uid, -9, -1))
    agent = through(front, secure, tls, transport, uid=uid.bytes)
    assert outcome_of(agent) == "certificate_expired"
    assert refused(reason="certificate_expired").claimed_id == str(uid)


def test_sec_08_a_stranger_s_is_refused(
    front: Front, world: World, secure: Secure, transport: str
) -> None:
    uid = uuid.uuid4()
    tls = world.client(certificates.client(certificates.authority(), uid))
    assert outcome_of(through(front, secure, tls, transport, uid=uid.bytes)) == "credential_invalid"


@pytest.mark.parametrize(
    "name", ["X-SSL-Client-Cert", "Client-Cert", "X-Forwarded-Client-Cert", "X_SSL_Client_Cert"]
)
def test_sec_07_what_a_client_writes_itself_is_cleared(
    front: Front, world: World, secure: Secure, transport: str, name: str
) -> None:
    uid = uuid.uuid4()
    shown = certificates.client(world.agent_ca, uid)
    shape = {"Client-Cert": as_bytes, "X-Forwarded-Client-Cert": as_envoy}.get(name, as_pem)
    headers = {name: shape(shown), "X-Forwarded-For": "203.0.113.5"}
    agent = through(front, secure, world.client(), transport, uid=uid.bytes, headers=headers)
    assert outcome_of(agent) == "mtls_required"
    assert refused(reason="mtls_required").address == "127.0.0.1"
