"""docs/tls.md works as it stands: its commands are run, and an agent comes in with what they make."""

from __future__ import annotations

import re
import shlex
import ssl
import subprocess
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from agents.gateway.metrics import Metrics
from agents.gateway.options import TlsOptions
from console.words.refusals import why
from tests.agents.gateway.conftest import start_gateway
from tests.agents.gateway.fake_agent import FakeAgent
from tests.agents.gateway.running import Starter
from tests.agents.gateway.tls.proxies import PAGE, snippet

__all__ = ["start_gateway"]  # the fixture
UID = uuid.UUID("0192f2b4-1111-7222-8333-944455566677")
TEXT = PAGE.read_text()


def certs_commands() -> list[list[str]]:
    lines = [line for line in snippet("try").splitlines() if line.startswith("manage.py certs")]
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.parametrize("made_by", ["manage.py", "openssl"])
def test_its_commands_lead_to_an_agent_that_is_in(
    start_gateway: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "certs"
    folder.mkdir()
    *make, trust = certs_commands()
    if made_by == "manage.py":
        for words in make:
            call_command(*words)
    else:
        for line in snippet("openssl").splitlines():
            subprocess.run(shlex.split(line), cwd=folder, check=True, capture_output=True)
    call_command(*trust)
    files = TlsOptions(folder / "server.crt", folder / "server.key")
    gateway = start_gateway(auth="mtls", tls=files)
    context = ssl.create_default_context(cafile=str(folder / "server-ca.crt"))
    context.load_cert_chain(folder / f"agent-{UID}.crt", folder / f"agent-{UID}.key")
    agent = FakeAgent(gateway, uid=UID.bytes, tls=context, url=f"wss://localhost:{gateway.port}")
    try:
        assert not agent.begin().HasField("error_response")
    finally:
        agent.close()


def test_the_openssl_lines_are_those_that_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in certs_commands()[:-1]:
        call_command(
            *[str(tmp_path) if word == "certs" and at else word for at, word in enumerate(words)]
        )
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("openssl ")]
    assert printed == snippet("openssl").splitlines()


def test_what_it_names_is_there() -> None:
    names = set(re.findall(r"`(opamp_gateway_\w+?)(?:_total)?(?:\{\w+\})?`", TEXT))
    known = {metric.name for metric in Metrics().registry.collect()}
    assert names <= known
    assert len(names) >= 6
    for name in re.findall(r"`(OPAMP_\w+)", TEXT):
        assert hasattr(settings, name), name
    for reason in ("certificate_expired", "mtls_required", "tls_plain_text", "certificate_unknown"):
        assert why(reason) != reason.replace("_", " ")
