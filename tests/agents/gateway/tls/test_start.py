"""What a gateway refuses to start with, each with its mend (SEC-39; R3), and what it warns of."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path

import pytest

from agents.gateway.options import ProxyOptions
from agents.gateway.tls.files import TlsProblem, read_authorities, read_pair
from console.lib.certificates import read_file
from console.processes.opamp_tls import proxy_options, tls_options
from tests.agents.gateway.running import Starter
from tests.agents.gateway.tls.conftest import StartTls
from tests.agents.gateway.tls.odd import Openssl, openssl
from tests.agents.gateway.tls.world import World, put
from tests.make import certificates


def spoil(world: World, how: str) -> None:
    folder = world.folder
    if how == "no certificate":
        put(world.certificate, b"rubbish")
    elif how == "no such file":
        world.certificate.unlink()
    elif how == "no key":
        put(world.key, b"rubbish")
    elif how == "encrypted key":
        openssl(folder, *shlex.split("pkey -in server.key -aes256 -passout pass:x -out locked.key"))
        put(world.key, (folder / "locked.key").read_bytes())
    elif how == "open key":
        world.key.chmod(0o640)
    elif how == "another's key":
        put(world.key, certificates.server(world.server_ca).key_pem)
    else:
        openssl(
            folder,
            *shlex.split("req -x509 -newkey rsa:1024 -nodes -keyout w.key -out w.crt -subj /CN=x"),
        )
        put(world.certificate, (folder / "w.crt").read_bytes())
        put(world.key, (folder / "w.key").read_bytes())


@pytest.mark.parametrize(
    ("how", "says", "mend"),
    [
        ("no certificate", "no certificate can be read", "the server's own certificate first"),
        ("no such file", "No such file or directory", "OPAMP_TLS_CERT is a PEM file"),
        ("no key", "no private key can be read", "OPAMP_TLS_KEY is the PEM file"),
        ("encrypted key", "the key is encrypted", "openssl pkey -in"),
        ("open key", "others than its owner may read", "chmod 600"),
        ("another's key", "does not belong to the certificate", "must print the same"),
        ("weak key", "has 1024 bits, and 2048 are the least", "openssl genpkey"),
    ],
)
def test_sec_39_the_start_is_refused_with_the_mend(
    world: World, start_tls: StartTls, how: str, says: str, mend: str
) -> None:
    spoil(world, how)
    with pytest.raises(TlsProblem) as refused:
        start_tls()
    told = str(refused.value)
    assert says in told
    assert mend in told
    assert str(world.folder) in told


def test_sec_39_a_bundle_holds_authorities_only(world: World, start_tls: StartTls) -> None:
    bundle = world.folder / "bundle.crt"
    put(bundle, certificates.client(world.agent_ca, "x").pem.encode())
    with pytest.raises(TlsProblem, match="is no CA, it does not say CA:TRUE"):
        start_tls(tls={"client_ca": bundle})
    with pytest.raises(TlsProblem, match="no CA can be read"):
        read_authorities(world.folder / "none.crt")


@pytest.mark.parametrize(
    ("settings_of", "says"),
    [
        ({"OPAMP_TLS_ENABLED": True, "OPAMP_TLS_CERT": ""}, "OPAMP_TLS_CERT is empty"),
        ({"OPAMP_TLS_ENABLED": True, "OPAMP_TLS_CERT": "a"}, "OPAMP_TLS_KEY is empty"),
        ({"OPAMP_TLS_CLIENT_CERT": "maybe"}, "write optional or required"),
        ({"OPAMP_TLS_MIN_VERSION": "1.1"}, "write 1.3 or 1.2"),
        ({"OPAMP_TLS_IDENTITY_RULE": "("}, "no regular expression"),
        ({"OPAMP_TLS_IDENTITY_RULE": ".*"}, "neither a group uid nor a group name"),
    ],
)
def test_sec_39_settings_say_what_would_be_right(
    settings: pytest.FixtureRequest, settings_of: dict[str, object], says: str
) -> None:
    given = {"OPAMP_TLS_ENABLED": True, "OPAMP_TLS_CERT": "a", "OPAMP_TLS_KEY": "b", **settings_of}
    if says == "OPAMP_TLS_KEY is empty":
        given["OPAMP_TLS_KEY"] = ""
    for name, value in given.items():
        setattr(settings, name, value)
    with pytest.raises(ValueError, match=says):
        tls_options()


def test_the_names_of_settings_are_those_that_are_documented(
    settings: pytest.FixtureRequest,
) -> None:
    for name, value in {
        "OPAMP_TLS_ENABLED": True,
        "OPAMP_TLS_CERT": "/x/a.crt",
        "OPAMP_TLS_KEY": "/x/a.key",
        "OPAMP_TLS_CLIENT_CERT": "Required",
        "OPAMP_TRUSTED_PROXIES": ["10.0.0.7", "fd00::/8"],
    }.items():
        setattr(settings, name, value)
    found = tls_options()
    assert found is not None
    assert (found.certificate, found.key) == (Path("/x/a.crt"), Path("/x/a.key"))
    assert found.requires_client
    assert [str(n) for n in proxy_options().trusted] == ["10.0.0.7/32", "fd00::/8"]
    settings.OPAMP_TLS_ENABLED = False  # type: ignore[attr-defined]
    assert tls_options() is None
    settings.OPAMP_TRUSTED_PROXIES = ["10.0.0.0/33"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"10\.0\.0\.7 or 10\.0\.0\.0/8"):
        proxy_options()


def test_certificates_that_nobody_can_show_are_not_asked_for(start_gateway: Starter) -> None:
    with pytest.raises(ValueError, match="set OPAMP_TLS_CERT and OPAMP_TLS_KEY"):
        start_gateway(auth="mtls")
    with pytest.raises(ValueError, match="set OPAMP_TRUSTED_PROXIES"):
        start_gateway(proxies=ProxyOptions(certificate_header="Client-Cert"))


@pytest.mark.parametrize("name", ["gateway.example", "127.0.0.1"])
def test_a_server_certificate_of_version_1_serves_and_is_mended_by_two_lines(
    world: World, start_tls: StartTls, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    made = Openssl(world.folder)
    made.authority("ca")
    old = made.leaf("server", ca="ca", subject=name)
    assert old.certificate.version.name == "v1"
    with caplog.at_level(logging.WARNING):
        start_tls()
    told = next(r.getMessage() for r in caplog.records if "no subjectAltName" in r.getMessage())
    assert "Go clients" in told
    lines = [line for line in told.splitlines() if line.startswith("openssl ")]
    assert len(lines) == 2
    for line in lines:
        openssl(world.folder, *shlex.split(line)[1:])
    assert read_pair(world.certificate, world.key).names == {name}
    assert read_file(world.certificate)[0].public_key() == old.certificate.public_key()


def test_an_expired_certificate_serves_and_is_said_loudly(
    world: World, start_tls: StartTls, caplog: pytest.LogCaptureFixture
) -> None:
    world.serve(certificates.server(world.server_ca, lasting=certificates.life(-9, -1)))
    start_tls()
    assert any(r.levelname == "ERROR" and "has expired" in r.getMessage() for r in caplog.records)


def test_tls_1_2_is_warned_of_at_each_start(
    world: World, start_tls: StartTls, caplog: pytest.LogCaptureFixture
) -> None:
    start_tls(tls={"allows_tls12": True})
    assert any("OPAMP_TLS_MIN_VERSION" in r.getMessage() for r in caplog.records)
