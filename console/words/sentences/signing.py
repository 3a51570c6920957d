"""Signatures of configs: keys that are trusted, and why something is not signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from console.lib.texts import Sentence


def _unsigned_ways_back(params: Mapping[str, Any]) -> str:
    return ngettext(
        "{agents:,} agent runs a version without a valid signature, so a rollback could not give it "
        "back. Sign that version first.",
        "{agents:,} agents run a version without a valid signature, so a rollback could not give it "
        "back. Sign that version first.",
        params["agents"],
    ).format_map(params)


def _no_key_fits(params: Mapping[str, Any]) -> str:
    return ngettext(
        "None of the {trusted} trusted key made this signature of {hash}. It must be RSA PKCS#1 v1.5 "
        "with SHA-256 over those 64 characters, without a newline, in base64.",
        "None of the {trusted} trusted keys made this signature of {hash}. It must be RSA PKCS#1 v1.5 "
        "with SHA-256 over those 64 characters, without a newline, in base64.",
        params["trusted"],
    ).format_map(params)


KEYS: dict[str, Sentence] = {
    "key.no_public_pem": _l("this is no public key in PEM"),
    "key.not_rsa": _l("the key is not RSA"),
    "key.weak": _l("the key has {bits} bits; {least} are the least"),
    "signing.no_key_fits": _no_key_fits,
    "signing.bad_name": _l(
        "{read!r} cannot name a key; letters, digits, spaces, dots and dashes can, up to 100."
    ),
    "signing.bad_key": _l("A public key is wanted, RSA of 2048 bits or more, in PEM: {why}."),
    "signing.known_key": _l("Key {key} is known already, as {name}."),
    "signing.missing_key": _l("There is no key {key}."),
    "signing.bad_already": _l("Key {key} was marked bad already."),
    "signing.short_reason": _l("Say why, in 10 characters or more."),
    "signing.no_signature": _l("No version with hash {hash} has a signature yet."),
}

SIGNER: dict[str, Sentence] = {
    "signer.did_not_run": _l("{command} did not sign: {why}"),
    "signer.failed": _l("{command} ended with {status}: {said}"),
    "signer.other_key": _l(
        "What {command} printed is no signature by the key of CONFIG_SIGNING_KEY_FILE."
    ),
    "signer.no_public_key": _l(
        "CONFIG_SIGNER_COMMAND is set without CONFIG_SIGNING_KEY_FILE; name the file with the public "
        "key of what it signs with."
    ),
    "signer.unreadable": _l("CONFIG_SIGNING_KEY_FILE {path} cannot be read: {why}"),
    "signer.open_to_others": _l(
        "CONFIG_SIGNING_KEY_FILE {path} can be read by others (mode {mode}): chmod 600 {path}"
    ),
    "signer.no_private_key": _l(
        "CONFIG_SIGNING_KEY_FILE {path} holds no private key in PEM without a password."
    ),
    "signer.weak_key": _l(
        "CONFIG_SIGNING_KEY_FILE {path} must hold an RSA key of {least} bits or more: "
        "openssl genrsa -out {path} 3072"
    ),
    "signer.bad_public_key": _l(
        "CONFIG_SIGNING_KEY_FILE {path} must hold the public key (PEM) of the signer: {why}"
    ),
    "signer.key_is_bad": _l(
        "The signer's key {key} was marked bad; give it another one (CONFIG_SIGNING_KEY_FILE)."
    ),
}

FINDINGS: dict[str, Sentence] = {
    "finding.signature_missing": _l("{version} is not signed, and only signed versions are sent."),
    "finding.signature_waits": _l("{version} is not signed yet: {why}"),
    "finding.signature_bad": _l(
        "The signature of {version} does not verify; no gateway sends it. Sign it again."
    ),
    "finding.unsigned_ways_back": _unsigned_ways_back,
}
