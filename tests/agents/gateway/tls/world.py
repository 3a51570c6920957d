"""A CA, a server's files, agents' certificates, and clients that show them: all real, on loopback."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts.actor import SYSTEM
from agents.actions.trust import trust_authority
from agents.gateway.options import TlsOptions
from agents.models import TrustedAuthority
from console.lib.certificate_making import Pair
from tests.make import certificates

RULE = r"spiffe://tidegate\.test/agent/(?P<uid>[0-9a-f-]{36})|(?P<name>.+)"


def write_key(path: Path, data: bytes) -> Path:
    """Write a file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


def put(path: Path, data: bytes) -> None:
    """Replace a file in one step, as whoever renews certificates should."""
    fresh = write_key(path.with_suffix(".new"), data)
    os.replace(fresh, path)


@dataclass
class World:
    """`server_ca` signs the server, `agent_ca` the agents: two roots, as they should be (R4)."""

    folder: Path
    server_ca: Pair
    agent_ca: Pair

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    def options(self, **words: Any) -> TlsOptions:
        return TlsOptions(certificate=self.certificate, key=self.key, **words)

    def serve(self, pair: Pair) -> None:
        """Make this the server's certificate."""
        put(self.key, pair.key_pem)
        put(self.certificate, pair.pem.encode())

    def trust(self, ca: Pair | None = None, rule: str = RULE, **words: Any) -> TrustedAuthority:
        """Trust a CA; the agents' own unless told otherwise."""
        pem = (ca or self.agent_ca).pem
        return trust_authority(name="CA", pem=pem, by=SYSTEM, identity_rule=rule, **words)

    def client(self, shown: Pair | None = None, *, chain: str = "") -> ssl.SSLContext:
        """Return what a client connects with: it verifies the server, and shows a certificate."""
        context = ssl.create_default_context(cadata=self.server_ca.pem)
        if shown is not None:
            folder = self.folder / f"{shown.certificate.serial_number:x}"
            folder.mkdir(exist_ok=True)
            (folder / "crt").write_text(shown.pem + chain)
            key = write_key(folder / "key", shown.key_pem)
            context.load_cert_chain(folder / "crt", key)
        return context


def make_world(folder: Path) -> World:
    world = World(folder, certificates.authority("Server CA"), certificates.authority("Agent CA"))
    world.serve(certificates.server(world.server_ca))
    return world
