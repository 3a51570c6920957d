"""From a shared token to a certificate of one's own, over real sockets: request, offer, use, renewal,
revocation (OP-39, OP-44 to OP-46; SEC-16; security.md section 4)."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from accounts.actor import SYSTEM
from agents.actions.tokens import issue_token
from agents.models import CertificateRequest, DesiredSettings, Session
from agents.opamp import bits
from agents.opamp import opamp_pb2 as pb
from certs.actions.push import push_certificate
from certs.actions.revoke import revoke
from certs.loop import entrance
from certs.loop.tick import tick
from certs.models import Certificate
from console.lib.certificate_making import Pair
from tests.agents.gateway.fake_agent import EVERYTHING, FakeAgent
from tests.agents.gateway.helpers import row
from tests.agents.gateway.running import RunningGateway
from tests.agents.gateway.tls.conftest import Secure, StartTls
from tests.agents.gateway.tls.world import World, write_key
from tests.make.requests import csr, new_key
from tests.make.waiting import eventually


@pytest.fixture
def gateway(world: World, start_tls: StartTls, settings: Any) -> Iterator[RunningGateway]:
    """A gateway whose requests are answered from the world's authority of agents."""
    (world.folder / "ca.pem").write_text(world.agent_ca.pem)
    (world.folder / "server-ca.pem").write_text(world.server_ca.pem)
    settings.CERTIFICATES_CA_FILE = str(world.folder / "ca.pem")
    settings.CERTIFICATES_CA_KEY_FILE = str(
        write_key(world.folder / "ca.key", world.agent_ca.key_pem)
    )
    settings.OPAMP_SERVER_CA_FILE = str(world.folder / "server-ca.pem")
    tick(timezone.now())
    entrance.forget_proofs()
    gateway = start_tls(auth="any")
    settings.OPAMP_URL = gateway.ws_url
    yield gateway
    entrance.forget_proofs()


class Host:
    """One agent's host: its key, and what it connects with."""

    def __init__(
        self, world: World, secure: Secure, gateway: RunningGateway, transport: str
    ) -> None:
        self.world, self.secure, self.gateway = world, secure, gateway
        self.transport = transport
        self.key = new_key()
        _, self.token = issue_token(name="edge", by=SYSTEM)
        self.agent = self._agent(world.client(), headers={"Authorization": f"Bearer {self.token}"})
        self.agent.begin()

    def _agent(self, tls: ssl.SSLContext, **words: Any) -> FakeAgent:
        return self.secure(self.gateway, tls, self.transport, capabilities=EVERYTHING, **words)

    def asks(self) -> None:
        """Send a request, and let the issuer's worker have its turns until there is an offer."""
        asked = pb.OpAMPConnectionSettingsRequest(
            certificate_request=pb.CertificateRequest(csr=csr(self.key))
        )
        answer = self.agent.say(
            connection_settings_request=pb.ConnectionSettingsRequest(opamp=asked)
        )
        assert not answer.HasField("error_response"), answer

    def is_given_one(self) -> None:
        """Have a key made for it, once what it accepts has been written."""
        eventually(lambda: row(self.agent).capabilities, "its capabilities")
        push_certificate(agent_id=row(self.agent).pk, by=SYSTEM, reason="it makes no requests")

    def is_offered(self) -> pb.OpAMPConnectionSettings:
        self.until("offered")
        offered = self.agent.pushed()
        assert offered.HasField("connection_settings"), offered
        return offered.connection_settings.opamp

    def until(self, state: str, after: int = 0) -> Certificate:
        """Let the issuer's worker have its turns until a certificate, made after the one with this
        key, is in this state."""

        def found() -> Certificate | None:
            tick(timezone.now())
            made = Certificate.objects.filter(agent=row(self.agent), pk__gt=after)
            return made.filter(state=state).last()

        return eventually(
            found, state, seen=lambda: list(Certificate.objects.values("state", "why"))
        )

    def shown(self, offered: pb.OpAMPConnectionSettings) -> Pair:
        leaf = x509.load_pem_x509_certificate(offered.certificate.cert)
        return Pair(leaf, self.key)

    def reconnects(self, offered: pb.OpAMPConnectionSettings) -> None:
        """Connect as the offer says: with the certificate, and without the token."""
        uid = self.agent.uid
        self.agent.close()
        self.agent = self._agent(self.world.client(self.shown(offered)), uid=uid)
        self.agent.begin()


def test_op_45_from_a_shared_token_to_a_certificate_and_twice_to_the_next(
    world: World, secure: Secure, gateway: RunningGateway, transport: str
) -> None:
    host = Host(world, secure, gateway, transport)
    assert host.agent.say().capabilities == 0 or transport == "http"
    used: list[Certificate] = []
    for _ in range(3):
        before = used[-1].pk if used else 0
        host.asks()
        host.until("offered", before)
        offered = host.is_offered()
        assert offered.destination_endpoint == gateway.ws_url
        assert offered.heartbeat_interval_seconds == 30
        assert not offered.certificate.private_key
        assert offered.certificate.ca_cert == world.agent_ca.pem.encode()
        assert offered.tls.ca_pem_contents == world.server_ca.pem
        host.reconnects(offered)
        used.append(host.until("installed", before))
        host.key = new_key()
    states = Certificate.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["superseded", "superseded", "installed"]
    names = Session.objects.order_by("connected_at").values_list("principal", flat=True)
    assert [f"certificate:{one.fingerprint[:32]}" for one in used] == list(names)[1:]


def test_sec_16_an_agent_that_only_says_applied_is_not_believed(
    world: World, secure: Secure, gateway: RunningGateway
) -> None:
    host = Host(world, secure, gateway, "ws")
    host.asks()
    host.until("offered")
    offer = host.agent.pushed().connection_settings
    host.agent.say(
        connection_settings_status=pb.ConnectionSettingsStatus(
            last_connection_settings_hash=offer.hash, status=pb.ConnectionSettingsStatuses_APPLIED
        )
    )
    assert host.until("applying").installed_at is None


def test_sec_16_an_agent_that_comes_back_with_its_token_has_rolled_back(
    world: World, secure: Secure, gateway: RunningGateway
) -> None:
    host = Host(world, secure, gateway, "ws")
    host.asks()
    host.is_offered()
    host.agent.close()
    host.agent.connect()
    host.agent.say()
    assert host.until("rolled_back").attempt == 1
    assert host.until("pending").attempt == 2


def test_r24_an_offer_that_could_not_be_used_is_not_made_with_each_connection(
    world: World, secure: Secure, gateway: RunningGateway
) -> None:
    host = Host(world, secure, gateway, "ws")
    host.asks()
    host.is_offered()
    host.agent.close()
    host.agent.connect()
    host.agent.say()
    host.until("rolled_back")
    held = gateway.server.gateway.registry.by_id[row(host.agent).pk]
    eventually(lambda: held.wanted_settings is None, "the gateway takes it back")
    host.agent.close()
    host.agent.connect()
    assert not host.agent.say().connection_settings.HasField("opamp")


def test_sec_16_a_gateway_that_dies_after_the_offer_loses_nobody(
    world: World, secure: Secure, start_tls: StartTls, gateway: RunningGateway, settings: Any
) -> None:
    host = Host(world, secure, gateway, "ws")
    host.asks()
    offered = host.is_offered()
    gateway.kill()
    host.gateway = start_tls(auth="any")
    settings.OPAMP_URL = host.gateway.ws_url
    host.reconnects(offered)
    host.until("installed")


def test_sec_13_a_revoked_certificate_is_cut_and_refused(
    world: World, secure: Secure, gateway: RunningGateway
) -> None:
    """The cut comes with the hint, within the 5 s of security.md R30."""
    host = Host(world, secure, gateway, "ws")
    host.asks()
    offered = host.is_offered()
    host.reconnects(offered)
    certificate = host.until("installed")
    revoke(certificate_id=certificate.pk, by=SYSTEM, reason="stolen")
    assert host.agent.closed_with(5.0) == 1008
    with pytest.raises(InvalidStatus) as refused:
        host.reconnects(offered)
    assert refused.value.response.status_code == 401


def test_op_47_the_certificate_of_one_agent_is_of_no_use_to_another(
    world: World, secure: Secure, gateway: RunningGateway
) -> None:
    host = Host(world, secure, gateway, "ws")
    host.asks()
    shown = host.shown(host.is_offered())
    other = secure(gateway, world.client(shown), "ws", capabilities=bits.REPORTS_STATUS)
    answer = other.begin()
    assert "does not belong" in answer.error_response.error_message


def test_op_44_a_key_made_by_the_gateway_is_sent_once_with_its_certificate_and_ca(
    world: World, secure: Secure, gateway: RunningGateway, transport: str, settings: Any
) -> None:
    """Full rotation against a TLS client that makes no requests itself."""
    settings.CERTIFICATES_PUSH = True
    host = Host(world, secure, gateway, transport)
    for _ in range(2):
        host.is_given_one()
        offered = host.is_offered()
        host.key = load_pem_private_key(offered.certificate.private_key, None)  # type: ignore[assignment]
        assert offered.certificate.ca_cert == world.agent_ca.pem.encode()
        [held] = gateway.server.gateway.registry.by_id.values()
        assert held.held_key is None, "it is forgotten once it is sent"
        host.reconnects(offered)
        host.until("installed")
    kept = json.dumps(list(DesiredSettings.objects.values_list("settings", flat=True)))
    assert "PRIVATE KEY" not in kept, "the key is in no row"
    assert "PRIVATE KEY" not in json.dumps(list(CertificateRequest.objects.values("csr")))


def test_op_44_a_key_that_died_with_its_gateway_is_never_missed_in_an_offer(
    world: World, secure: Secure, start_tls: StartTls, gateway: RunningGateway, settings: Any
) -> None:
    settings.CERTIFICATES_PUSH = True
    host = Host(world, secure, gateway, "ws")
    host.is_given_one()
    held = gateway.server.gateway.registry.by_id[row(host.agent).pk]
    tick(timezone.now())
    eventually(lambda: held.held_key is not None, "its key is made")
    held.held_key = None  # as if another gateway had been asked
    host.until("offered")
    assert not host.agent.say().connection_settings.HasField("opamp")
