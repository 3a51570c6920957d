"""Agents that show a certificate: who they are then, and who is not let in (SEC-01, SEC-02, SEC-03)."""

from __future__ import annotations

import json
import socket
import ssl
import uuid

import pytest
import requests
from cryptography import x509
from websockets.exceptions import InvalidStatus, WebSocketException

from agents.models import Session
from console.lib.certificate_making import Pair, make_client
from console.lib.certificates import fingerprint_of
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.sockets.test_refused import refused
from tests.agents.gateway.tls.conftest import Secure, StartTls
from tests.agents.gateway.tls.world import World
from tests.make import certificates
from tests.make.waiting import eventually


@pytest.mark.parametrize("path", ["/v1/opamp", "/", ""])
def test_an_agent_is_who_its_certificate_says(
    world: World, start_tls: StartTls, secure: Secure, transport: str, path: str
) -> None:
    world.trust(labels={"site": "a"})
    uid = uuid.uuid4()
    shown = certificates.client(world.agent_ca, uid)
    gateway = start_tls(auth="mtls")
    url = (gateway.ws_url if transport == "ws" else gateway.url).replace("/v1/opamp", path)
    agent = secure(gateway, world.client(shown), transport, uid=uid.bytes, url=url)
    assert not agent.begin().HasField("error_response")
    stored(agent, connected=True)
    assert row(agent).operator_labels == {"site": "a"}
    assert row(agent).bound_to == f"uid:{uid}"
    session = eventually(Session.objects.filter(agent=row(agent)).first, "its session")
    assert session.principal == f"certificate:{fingerprint_of(shown.certificate)[:32]}"


def test_sec_01_no_version_below_1_3(world: World, start_tls: StartTls) -> None:
    gateway = start_tls()
    assert _version(gateway.port, world.client(), ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        _version(gateway.port, world.client(), ssl.TLSVersion.TLSv1_2)
    assert refused(reason="tls_version").address == "127.0.0.1"


def test_sec_01_1_2_by_a_setting(world: World, start_tls: StartTls) -> None:
    gateway = start_tls(tls={"allows_tls12": True})
    assert _version(gateway.port, world.client(), ssl.TLSVersion.TLSv1_2) == "TLSv1.2"


def _version(port: int, context: ssl.SSLContext, most: ssl.TLSVersion) -> str | None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = most
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        return tls.version()


# --- SEC-02: each kind of certificate has its outcome -------------------------------------------

# What the client is told: a code over HTTP, or an alert of TLS; and what operators read.
OUTCOMES = {
    "valid": ("in", ""),
    "none": ("mtls_required", "mtls_required"),
    "unknown CA": ("alert", "certificate_untrusted"),
    "same name, other key": ("alert", "certificate_untrusted"),
    "self-signed": ("alert", "certificate_untrusted"),
    "expired": ("certificate_expired", "certificate_expired"),
    "not yet valid": ("credential_invalid", "certificate_not_yet_valid"),
    "serverAuth only": ("alert", "certificate_wrong_use"),
    "CA:TRUE leaf": ("credential_invalid", "certificate_wrong_use"),
    "nobody's": ("credential_invalid", "certificate_unknown"),
}


def odd(world: World, kind: str, uid: uuid.UUID) -> Pair | None:
    ca = world.agent_ca
    strangers = {
        "unknown CA": certificates.authority("Nobody's CA"),
        "same name, other key": certificates.authority("Agent CA"),
    }
    if kind == "none":
        return None
    if kind == "self-signed":
        return certificates.authority("Agent")
    if kind == "serverAuth only":
        return certificates.server(ca, "agent.example")
    if kind == "CA:TRUE leaf":
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        return certificates.resigned(ca, certificates.client(ca, uid), constraints)
    if kind == "nobody's":
        return make_client(ca, "x", ["urn:other"], certificates.life())
    lives = {"expired": (-9.0, -1.0), "not yet valid": (1.0, 9.0)}
    return certificates.client(strangers.get(kind, ca), uid, *lives.get(kind, (-1.0, 30.0)))


@pytest.mark.parametrize("kind", OUTCOMES)
def test_sec_02_each_certificate_has_its_outcome(
    world: World, start_tls: StartTls, secure: Secure, transport: str, kind: str
) -> None:
    world.trust(rule=r"spiffe://tidegate\.test/agent/(?P<uid>.+)")
    gateway = start_tls(auth="mtls")
    uid = uuid.uuid4()
    told, reason = OUTCOMES[kind]
    tls = world.client(odd(world, kind, uid))
    agent = secure(gateway, tls, transport, uid=uid.bytes)
    assert outcome_of(agent) == told
    if reason:
        found = refused(reason=reason)
        assert found.address == "127.0.0.1"
        assert found.detail


def outcome_of(agent: FakeAgent) -> str:
    """Return "in", the code of the refusal, or "alert" where TLS itself refused."""
    try:
        if agent.transport == "http":
            agent.connect()
            answer = agent.post(agent.message(**full_state()).SerializeToString())
            return "in" if answer.status_code == 200 else str(answer.json()["code"])
        agent.connect()
    except InvalidStatus as bad:
        return str(json.loads(bad.response.body or b"")["code"])
    except (OSError, WebSocketException, requests.ConnectionError):
        return "alert"
    return "in"


@pytest.mark.parametrize("kind", ["none", "valid", "expired"])
def test_sec_02_where_a_certificate_is_required_in_the_handshake(
    world: World, start_tls: StartTls, secure: Secure, transport: str, kind: str
) -> None:
    world.trust()
    gateway = start_tls(auth="mtls", tls={"requires_client": True})
    uid = uuid.uuid4()
    agent = secure(gateway, world.client(odd(world, kind, uid)), transport, uid=uid.bytes)
    told = {"none": "alert", "valid": "in", "expired": "certificate_expired"}[kind]
    assert outcome_of(agent) == told
    if kind == "none":
        refused(reason="mtls_required")


def test_a_strict_handshake_refuses_by_an_alert(
    world: World, start_tls: StartTls, secure: Secure
) -> None:
    world.trust()
    gateway = start_tls(auth="mtls", tls={"is_strict": True})
    uid = uuid.uuid4()
    agent = secure(gateway, world.client(odd(world, "expired", uid)), uid=uid.bytes)
    assert outcome_of(agent) == "alert"
    assert refused(reason="certificate_expired").detail == "certificate has expired"


def test_sec_03_an_expired_certificate_is_told_and_named(
    world: World,
    start_tls: StartTls,
    secure: Secure,
    transport: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.trust()
    gateway = start_tls(auth="mtls")
    uid = uuid.uuid4()
    tls = world.client(certificates.client(world.agent_ca, uid, -9, -1))
    agent = secure(gateway, tls, transport, uid=uid.bytes)
    with caplog.at_level("INFO"):
        assert outcome_of(agent) == "certificate_expired"
    assert refused(reason="certificate_expired").claimed_id == str(uid)
    logged = next(r for r in caplog.records if getattr(r, "code", "") == "certificate_expired")
    assert logged.__dict__["holder"] == str(uid)


def test_an_intermediate_comes_along(
    world: World, start_tls: StartTls, secure: Secure, transport: str
) -> None:
    root = certificates.authority("Deep root", depth=1)
    between = certificates.sub_authority(root, "between")
    world.trust(root)
    gateway = start_tls(auth="mtls")
    uid = uuid.uuid4()
    shown = certificates.client(between, uid)
    agent = secure(gateway, world.client(shown, chain=between.pem), transport, uid=uid.bytes)
    assert outcome_of(agent) == "in"


def test_a_plain_client_is_told_to_speak_tls(world: World, start_tls: StartTls) -> None:
    gateway = start_tls()
    answer = requests.get(gateway.url.replace("https", "http"), timeout=20)
    assert answer.status_code == 400
    assert "https:// or wss://" in answer.text
    refused(reason="tls_plain_text")


def test_a_client_that_does_not_trust_the_server_is_seen(world: World, start_tls: StartTls) -> None:
    gateway = start_tls()
    stranger = ssl.create_default_context(cadata=world.agent_ca.pem)
    with pytest.raises(ssl.SSLCertVerificationError):
        _version(gateway.port, stranger, ssl.TLSVersion.TLSv1_3)
    assert refused(reason="tls_server_refused").detail.startswith("the client does not trust")
