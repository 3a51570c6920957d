"""Agents that show a certificate: who they are then, and who is not let in (SEC-01, SEC-02, SEC-03)."""

from __future__ import annotations

import socket
import ssl
import uuid

import pytest

from agents.models import Session
from console.lib.certificates import fingerprint_of
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
