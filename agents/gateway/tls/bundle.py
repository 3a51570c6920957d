"""Whose certificates agents may show: the trusted authorities of the database and of a file (R4).

A bundle is made whole and never changed; the next one takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from agents.gateway.database import Database
from agents.gateway.options import TlsOptions
from agents.gateway.tls.files import read_authorities
from agents.gateway.tls.identity import FILE_RULE
from console.lib.certificates import fingerprint_of, read_pem


@dataclass(frozen=True, slots=True)
class Anchor:
    """One trusted authority. Without a `rule` only certificates of the registry are let in."""

    certificate: x509.Certificate
    fingerprint: str
    rule: re.Pattern[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    # The row's id; None for one of a file.
    authority_id: int | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that are trusted now, by fingerprint. Equal bundles trust alike."""

    anchors: Mapping[str, Anchor] = field(default_factory=dict)

    @property
    def certificates(self) -> list[x509.Certificate]:
        return [anchor.certificate for anchor in self.anchors.values()]


def make_bundle(anchors: Iterable[Anchor]) -> Bundle:
    """Return the bundle; of two for one certificate the first counts."""
    found: dict[str, Anchor] = {}
    for anchor in anchors:
        found.setdefault(anchor.fingerprint, anchor)
    return Bundle(found)


async def read_rows(database: Database) -> list[Anchor]:
    """Return the authorities of the database. Raises AWAY."""
    return [_anchor(row) for row in await database.fetch(_AUTHORITIES)]


def read_bundle_file(options: TlsOptions | None) -> list[Anchor]:
    """Return the authorities of the file, if there is one. Raises TlsProblem."""
    if options is None or options.client_ca is None:
        return []
    rule = re.compile(options.identity_rule or FILE_RULE)
    return [
        Anchor(certificate, fingerprint_of(certificate), rule)
        for certificate in read_authorities(options.client_ca)
    ]


def _anchor(row: Sequence[Any]) -> Anchor:
    authority_id, pem, fingerprint, rule, labels = row
    return Anchor(
        certificate=read_pem(pem)[0],
        fingerprint=fingerprint,
        rule=re.compile(rule) if rule else None,
        labels=labels,
        authority_id=authority_id,
    )


_AUTHORITIES = """
    SELECT id, pem, fingerprint, identity_rule, labels FROM agents_trustedauthority
    WHERE retired_at IS NULL ORDER BY id
"""
