"""Changing certificates and authorities under running connections (SEC-04, SEC-05, SEC-06)."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import uuid
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from websockets.exceptions import WebSocketException

from accounts.actor import SYSTEM
from accounts.models import AuditEvent
from agents.actions.trust import register_certificate, retire_authority, revoke_certificate
from console.lib.certificate_making import Pair
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.running import RunningGateway
from tests.agents.gateway.sockets.test_refused import refused
from tests.agents.gateway.tls.conftest import Secure, StartTls
from tests.agents.gateway.tls.world import World, put
from tests.make import certificates
from tests.make.waiting import eventually


def shown_by(gateway: RunningGateway, world: World) -> bytes | None:
    """Return the certificate that a new connection is shown."""
    with handshake(gateway, world.client()) as tls:
        return tls.getpeercert(binary_form=True)


def handshake(
    gateway: RunningGateway, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
    return context.wrap_socket(plain, server_hostname="127.0.0.1", session=session)


def reload(gateway: RunningGateway) -> None:
    """What SIGHUP does."""
    gateway._loop.call_soon_threadsafe(gateway.server.look_at_files)


def counted(gateway: RunningGateway, name: str, **labels: str) -> float:
    return gateway.server.gateway.metrics.registry.get_sample_value(name, labels) or 0.0


def reloads(gateway: RunningGateway, result: str) -> float:
    return counted(gateway, "opamp_gateway_tls_reloads_total", result=result)


def more_reloads(gateway: RunningGateway, before: float) -> bool:
    return reloads(gateway, "ok") > before


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.pem)


def test_sec_04_fifty_reloads_drop_and_refuse_nobody(
    world: World, start_tls: StartTls, secure: Secure
) -> None:
    world.trust()
    gateway = start_tls()
    uid = uuid.uuid4()
    own = world.client(certificates.client(world.agent_ca, uid))
    steady = secure(gateway, own, uid=uid.bytes)
    steady.begin()
    failures: list[BaseException] = []
    connects, over = [0, 0], threading.Event()

    def connect(which: int) -> None:
        context = world.client(certificates.client(world.agent_ca, uuid.uuid4()))
        while not over.is_set():
            try:
                with handshake(gateway, context) as tls:
                    tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert tls.recv(15) == b"HTTP/1.1 200 OK"
                connects[which] += 1
            except (OSError, AssertionError) as bad:
                failures.append(bad)

    threads = [threading.Thread(target=connect, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for number in range(50):
        before = reloads(gateway, "ok")
        world.serve(fresh := certificates.server(world.server_ca))
        reload(gateway)
        eventually(partial(more_reloads, gateway, before), f"reload {number}")
    over.set()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert min(connects) > 0
    assert shown_by(gateway, world) == der(fresh)
    assert not steady.say().HasField("error_response")
    assert steady.ws.close_code is None


def test_files_are_found_changed_without_a_signal(
    world: World, start_tls: StartTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.gateway.sockets.revoking._FILES_S", 0.2)
    gateway = start_tls()
    world.serve(fresh := certificates.server(world.server_ca))
    eventually(lambda: shown_by(gateway, world) == der(fresh), "the new certificate")


class TestAnAuthorityIsTakenAway:
    def test_sec_05_it_is_refused_also_with_a_saved_session(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        trusted = world.trust()
        gateway = start_tls(auth="mtls", tls={"allows_tls12": True})
        uid = uuid.uuid4()
        own = world.client(certificates.client(world.agent_ca, uid))
        agent = secure(gateway, own, uid=uid.bytes)
        agent.begin()
        contexts = [own, world.client(certificates.client(world.agent_ca, uid))]
        contexts[1].maximum_version = ssl.TLSVersion.TLSv1_2
        sessions = []
        for context in contexts:
            with handshake(gateway, context) as tls:
                tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert tls.recv(8) == b"HTTP/1.1"
                sessions.append(tls.session)
        retire_authority(authority_id=trusted.pk, by=SYSTEM, reason="compromised")
        assert agent.closed_with() == 1008
        stored(agent, connected=False)
        for context, session in zip(contexts, sessions, strict=True):
            assert is_shut_out(gateway, context, session)
            assert is_shut_out(gateway, context, None)

    def test_one_of_two_goes_and_the_other_one_s_agents_stay(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        other_ca = certificates.authority("Other CA")
        going = world.trust()
        world.trust(other_ca)
        gateway = start_tls(auth="mtls")
        agents = []
        for ca in (world.agent_ca, other_ca):
            uid = uuid.uuid4()
            agents.append(
                secure(gateway, world.client(certificates.client(ca, uid)), uid=uid.bytes)
            )
            agents[-1].begin()
        retire_authority(authority_id=going.pk, by=SYSTEM, reason="over")
        assert agents[0].closed_with() == 1008
        assert not agents[1].say().HasField("error_response")

    def test_also_when_the_server_s_files_are_broken_just_then(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        trusted = world.trust()
        gateway = start_tls(auth="mtls")
        own = world.client(certificates.client(world.agent_ca, uuid.uuid4()))
        put(world.certificate, b"rubbish")
        retire_authority(authority_id=trusted.pk, by=SYSTEM, reason="compromised")
        reload(gateway)
        eventually(lambda: is_shut_out(gateway, own, None), "nobody with it is let in")


def is_shut_out(
    gateway: RunningGateway, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> bool:
    """Whether nobody gets in as an agent this way; in the end it is asked of OpAMP itself."""
    upgrade = (
        b"GET /v1/opamp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    try:
        with handshake(gateway, context, session) as tls:
            tls.sendall(upgrade)
            return not tls.recv(12).startswith(b"HTTP/1.1 101")
    except OSError:
        return True


@pytest.mark.parametrize(
    "breaking",
    ["rubbish", "key of another", "expired", "other name", "key open to all", "gone", "bad bundle"],
)
def test_sec_06_broken_files_keep_what_served(
    world: World, start_tls: StartTls, secure: Secure, breaking: str
) -> None:
    bundle = world.folder / "bundle.crt"
    put(bundle, world.agent_ca.pem.encode())
    gateway = start_tls(auth="mtls", tls={"client_ca": bundle})
    before = shown_by(gateway, world)
    spoil(world, bundle, breaking)
    reload(gateway)
    eventually(lambda: reloads(gateway, "failed") == 1, "a failed reload")
    assert counted(gateway, "opamp_gateway_tls_files_unusable") == 1
    written = AuditEvent.objects.filter(act="tls.reload_failed", object_kind="gateway")
    event = eventually(written.first, "its line in the audit log")
    assert event.details["why"]
    assert shown_by(gateway, world) == before
    uid = uuid.uuid4()
    agent = secure(gateway, world.client(certificates.client(world.agent_ca, uid)), uid=uid.bytes)
    assert not agent.begin().HasField("error_response")
    world.key.chmod(0o600)
    put(bundle, world.agent_ca.pem.encode())
    world.serve(fresh := certificates.server(world.server_ca))
    reload(gateway)
    eventually(lambda: shown_by(gateway, world) == der(fresh), "the mended files")
    assert counted(gateway, "opamp_gateway_tls_files_unusable") == 0
    eventually(AuditEvent.objects.filter(act="tls.reloaded").first, "that it was taken")
    assert counted(gateway, "opamp_gateway_tls_certificate_expiry_seconds") == (
        fresh.certificate.not_valid_after_utc.timestamp()
    )


def spoil(world: World, bundle: Path, how: str) -> None:
    other = certificates.server(world.server_ca)
    if how == "rubbish":
        put(world.certificate, b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    elif how == "key of another":
        put(world.key, other.key_pem)
    elif how == "expired":
        late = certificates.server(world.server_ca, lasting=certificates.life(-9, -1))
        world.serve(late)
    elif how == "other name":
        world.serve(certificates.server(world.server_ca, "elsewhere.example"))
    elif how == "key open to all":
        world.serve(other)
        world.key.chmod(0o644)
    elif how == "gone":
        world.certificate.unlink()
    else:
        put(bundle, certificates.client(world.agent_ca, "x").pem.encode())


class TestRevoking:
    def test_a_revoked_certificate_is_cut_and_refused(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        world.trust()
        gateway = start_tls(auth="mtls")
        agent, shown = connected(world, gateway, secure)
        made = register_certificate(agent_id=row(agent).pk, certificate_pem=shown.pem, by=SYSTEM)
        revoke_certificate(certificate_id=made.pk, by=SYSTEM, reason="laptop lost")
        assert agent.closed_with() == 1008
        again = secure(gateway, world.client(shown), uid=agent.uid)
        with pytest.raises(WebSocketException, match="401"):
            again.connect()
        found = refused(reason="certificate_revoked")
        assert found.claimed_id == str(uuid.UUID(bytes=agent.uid))

    def test_one_of_another_pki_is_cut_though_nobody_registered_it(
        self, world: World, start_tls: StartTls, secure: Secure
    ) -> None:
        world.trust()
        gateway = start_tls(auth="mtls")
        agent, shown = connected(world, gateway, secure)
        file = world.folder / "lost.crt"
        file.write_text(shown.pem)
        call_command("certs", "revoke", str(file), "--reason", "laptop lost", stdout=io.StringIO())
        assert agent.closed_with() == 1008
        with pytest.raises(WebSocketException, match="401"):
            secure(gateway, world.client(shown), uid=agent.uid).connect()
        successor = certificates.client(world.agent_ca, uuid.UUID(bytes=agent.uid))
        again = secure(gateway, world.client(successor), uid=agent.uid)
        assert not again.begin().HasField("error_response")

    def test_its_successor_stays(self, world: World, start_tls: StartTls, secure: Secure) -> None:
        world.trust()
        gateway = start_tls(auth="mtls")
        agent, shown = connected(world, gateway, secure)
        old = register_certificate(agent_id=row(agent).pk, certificate_pem=shown.pem, by=SYSTEM)
        new = certificates.client(world.agent_ca, uuid.UUID(bytes=agent.uid))
        agent.close()
        successor = secure(gateway, world.client(new), uid=agent.uid)
        successor.begin()
        revoke_certificate(certificate_id=old.pk, by=SYSTEM, reason="renewed")
        assert successor.hears_nothing(1.0)
        assert not successor.say().HasField("error_response")


def connected(world: World, gateway: RunningGateway, secure: Secure) -> tuple[FakeAgent, Pair]:
    uid = uuid.uuid4()
    shown = certificates.client(world.agent_ca, uid)
    agent = secure(gateway, world.client(shown), uid=uid.bytes)
    agent.connect().say(**full_state())
    return agent, shown


def test_r30_a_gateway_that_cannot_read_credentials_lets_nobody_new_in(
    world: World, start_tls: StartTls, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.trust()
    gateway = start_tls(auth="mtls")
    agent, shown = connected(world, gateway, secure)
    monkeypatch.setattr("agents.gateway.sockets.auth._BLIND_AFTER_S", -1.0)
    with pytest.raises(WebSocketException, match="503"):
        secure(gateway, world.client(shown), uid=agent.uid).connect()
    with handshake(gateway, world.client()) as tls:
        tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert tls.recv(12) == b"HTTP/1.1 503"
    assert not agent.say().HasField("error_response")
