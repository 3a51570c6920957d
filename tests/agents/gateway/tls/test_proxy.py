"""Certificates and addresses that a proxy hands on: believed of trusted proxies only (SEC-07; R11, R12)."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from agents.gateway.options import ProxyOptions
from agents.gateway.sockets.caller import CERTIFICATE_HEADERS
from agents.gateway.tls.forwarded import BadHeader, chain_in
from agents.models import Session
from console.lib.certificate_making import Pair
from tests.agents.gateway.conftest import MakeAgent
from tests.agents.gateway.fake_agent import FakeAgent, full_state
from tests.agents.gateway.helpers import row, stored
from tests.agents.gateway.running import RunningGateway, Starter
from tests.agents.gateway.sockets.test_refused import refused
from tests.agents.gateway.tls.test_reload import counted, der
from tests.agents.gateway.tls.world import World
from tests.make import certificates
from tests.make.waiting import eventually

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ELSEWHERE = (ipaddress.ip_network("10.9.0.0/16"),)
IGNORED = "opamp_gateway_certificate_headers_ignored_total"


def as_pem(pair: Pair) -> str:
    return quote(pair.pem, safe="")


def as_bytes(pair: Pair) -> str:
    return f":{base64.b64encode(der(pair)).decode()}:"


def as_envoy(pair: Pair) -> str:
    return (
        f'By=spiffe://x/gw;Hash=00ff;Cert="{as_pem(pair)}";Subject="CN=a,O=\\"b\\"";URI=spiffe://x'
    )


SHAPES = {
    "X-SSL-Client-Cert": as_pem,
    "Client-Cert": as_bytes,
    "X-Forwarded-Client-Cert": as_envoy,
}


def behind(start: Starter, header: str, trusted: Any = LOOPBACK, **words: Any) -> RunningGateway:
    proxies = ProxyOptions(trusted=trusted, certificate_header=header)
    return start(auth=words.pop("auth", "mtls"), proxies=proxies, **words)


def code_of(agent: FakeAgent) -> str:
    """Return "in" or the code of the refusal, over either transport."""
    if agent.transport == "http":
        answer = agent.connect().post(agent.message(**full_state()).SerializeToString())
        return "in" if answer.status_code == 200 else str(answer.json()["code"])
    try:
        agent.connect().say(**full_state())
    except InvalidStatus as bad:
        return str(bad.response.status_code)
    return "in"


@pytest.mark.parametrize("header", SHAPES)
def test_an_agent_is_who_the_proxy_says(
    world: World, start_gateway: Starter, make_agent: MakeAgent, transport: str, header: str
) -> None:
    world.trust()
    uid = uuid.uuid4()
    shown = certificates.client(world.agent_ca, uid)
    headers = {header: SHAPES[header](shown), "X-Forwarded-For": "6.6.6.6, 198.51.100.7, 127.0.0.9"}
    agent = make_agent(transport, at=behind(start_gateway, header), uid=uid.bytes, headers=headers)
    assert code_of(agent) == "in"
    stored(agent, connected=True)
    session = eventually(Session.objects.filter(agent=row(agent)).first, "its session")
    assert session.principal.startswith("certificate:")
    assert session.address.startswith("198.51.100.7:")


@pytest.mark.parametrize("kind", ["expired", "stranger's", "rubbish", "twice", "of two hops"])
def test_what_the_proxy_says_is_verified_again(
    world: World, start_gateway: Starter, make_agent: MakeAgent, kind: str
) -> None:
    world.trust()
    uid = uuid.uuid4()
    good = certificates.client(world.agent_ca, uid)
    values = {
        "expired": as_envoy(certificates.client(world.agent_ca, uid, -9, -1)),
        "stranger's": as_envoy(certificates.client(certificates.authority(), uid)),
        "rubbish": 'Cert="x',
        "twice": f'{as_envoy(good)};Cert="{as_pem(good)}"',
        "of two hops": f"{as_envoy(good)},{as_envoy(good)}",
    }
    headers = {"X-Forwarded-Client-Cert": values[kind]}
    gateway = behind(start_gateway, "X-Forwarded-Client-Cert")
    agent = make_agent("http", at=gateway, uid=uid.bytes, headers=headers)
    told = {"expired": "certificate_expired", "stranger's": "credential_invalid"}
    assert code_of(agent) == told.get(kind, "certificate_header")


def test_two_headers_are_a_bad_request(world: World, start_gateway: Starter) -> None:
    shown = certificates.client(world.agent_ca, uuid.uuid4())
    headers = {"client-cert": [as_bytes(shown), as_bytes(shown)]}
    with pytest.raises(BadHeader, match="more than one value"):
        chain_in("client-cert", headers)


@pytest.mark.parametrize("name", sorted({*CERTIFICATE_HEADERS, "X_SSL_Client_Cert", "client_cert"}))
@pytest.mark.parametrize("trusted", ["nobody", "another", "this one, by another header"])
def test_sec_07_a_forged_header_has_no_effect(
    world: World,
    start_gateway: Starter,
    make_agent: MakeAgent,
    transport: str,
    name: str,
    trusted: str,
) -> None:
    world.trust()
    uid = uuid.uuid4()
    shown = certificates.client(world.agent_ca, uid)
    shape = {"client-cert": as_bytes, "x-forwarded-client-cert": as_envoy}.get(name, as_pem)
    headers = {name: shape(shown), "X-Forwarded-For": "203.0.113.5", "X-Real-IP": "203.0.113.6"}
    if trusted == "nobody":
        gateway = start_gateway(auth="token")
    elif trusted == "another":
        gateway = behind(start_gateway, name, ELSEWHERE)
    else:
        gateway = behind(start_gateway, "X-The-Right-One")
    agent = make_agent(transport, at=gateway, uid=uid.bytes, headers=headers)
    wanted = "credential_missing" if trusted == "nobody" else "mtls_required"
    assert code_of(agent) in {wanted, "401"}
    address = "203.0.113.5" if trusted == "this one, by another header" else "127.0.0.1"
    assert refused(reason=wanted).address == address
    assert counted(gateway, IGNORED) >= 1


@given(
    value=st.text(max_size=300),
    name=st.sampled_from(["client-cert", "x-forwarded-client-cert", "x"]),
)
def test_sec_34_no_header_does_more_than_fail(value: str, name: str) -> None:
    with contextlib.suppress(BadHeader):
        assert isinstance(chain_in(name, {name: [value]}), tuple)


@given(
    pieces=st.lists(
        st.sampled_from(
            ['Cert="', '"', ";", ",", "=", "Chain=", "Hash=ab", "\\", "%2B", "-----BEGIN "]
        )
    )
)
def test_sec_34_nor_one_that_is_nearly_right(pieces: list[str]) -> None:
    with contextlib.suppress(BadHeader):
        chain_in("x-forwarded-client-cert", {"x-forwarded-client-cert": ["".join(pieces)]})
