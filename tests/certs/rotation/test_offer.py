"""Every offer is complete, and none to a supervisor lacks a certificate (SEC-17; security.md R25)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.actions.settings_form import read_settings
from agents.opamp import bits
from agents.opamp.opamp_pb2 import ServerToAgent
from agents.opamp.settings import Offer, settings_hash
from certs.rotation.offer import Entrance, OfferedCertificate, entrance_of, whole_settings

TEXT = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20)
URL = st.sampled_from(
    ["wss://gw.example/v1/opamp", "https://gw.example:8443/", "ws://old.example/"]
)
OPAMP = st.fixed_dictionaries(
    {"destination_endpoint": URL, "heartbeat_interval_seconds": st.integers(1, 600)},
    optional={
        "headers": st.dictionaries(TEXT.filter(bool), TEXT, max_size=3),
        "proxy": st.fixed_dictionaries({"url": TEXT}),
        "tls": st.fixed_dictionaries({"ca_pem_contents": TEXT}),
        "certificate": st.fixed_dictionaries({"cert": TEXT, "ca_cert": TEXT}),
    },
)
BEFORE = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "opamp": OPAMP,
        "own_metrics": st.fixed_dictionaries({"destination_endpoint": st.just("https://m/v1")}),
    },
)
USUAL = Entrance("wss://gateway.example:4320/v1/opamp", "SERVER CA")
CERTIFICATE = OfferedCertificate("LEAF", "CLIENT CA")


@given(before=BEFORE, bundle=st.sampled_from(["", "SERVER CA"]), is_supervisor=st.booleans())
def test_sec_17_every_offer_is_complete(
    before: dict[str, Any] | None, bundle: str, is_supervisor: bool
) -> None:
    usual = Entrance(USUAL.url, bundle)
    entrance = entrance_of(before, usual)
    settings = read_settings(
        whole_settings(before, entrance, CERTIFICATE, is_supervisor=is_supervisor)
    )
    part = Offer(settings, settings_hash(settings)).part_for(bits.ACCEPTS_OPAMP_SETTINGS)
    opamp = ServerToAgent.FromString(part).connection_settings.opamp
    told = (before or {}).get("opamp") or {}
    assert opamp.destination_endpoint.startswith(("wss://", "https://"))
    assert {h.key: h.value for h in opamp.headers.headers} == (told.get("headers") or {})
    assert opamp.heartbeat_interval_seconds == (told.get("heartbeat_interval_seconds") or 30)
    assert opamp.certificate.cert == b"LEAF"
    assert opamp.certificate.ca_cert
    assert not opamp.certificate.private_key
    assert not opamp.tls.insecure_skip_verify
    assert bool(opamp.tls.ca_pem_contents) is not opamp.tls.include_system_ca_certs_pool
    assert opamp.proxy.url == (told.get("proxy") or {}).get("url", "")


@given(before=BEFORE)
def test_what_else_was_offered_stays_part_of_it(before: dict[str, Any] | None) -> None:
    settings = whole_settings(before, USUAL, CERTIFICATE, is_supervisor=False)
    assert settings.keys() == (before or {}).keys() | {"opamp"}
    assert settings.get("own_metrics") == (before or {}).get("own_metrics")


def test_a_supervisor_is_given_the_ca_of_our_server_and_others_the_issuer() -> None:
    def beside(*, is_supervisor: bool) -> str:
        whole = whole_settings(None, USUAL, CERTIFICATE, is_supervisor=is_supervisor)
        return str(whole["opamp"]["certificate"]["ca_cert"])

    assert beside(is_supervisor=True) == "SERVER CA"
    assert beside(is_supervisor=False) == "CLIENT CA"


def test_an_agent_stays_where_it_was_told_to_connect_if_that_is_tls() -> None:
    told = {"opamp": {"destination_endpoint": "wss://regional.example/"}}
    plain = {"opamp": {"destination_endpoint": "ws://regional.example/"}}
    assert entrance_of(told, USUAL).url == "wss://regional.example/"
    assert entrance_of(plain, USUAL) == entrance_of(None, USUAL) == USUAL
