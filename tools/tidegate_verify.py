#!/usr/bin/env python3
"""Check that a collector config is signed, ours and current, before a collector is started on it.

Stands alone: Python 3.9 or later and openssl, nothing of Tidegate. Copy it to a host with the keys of
`/.well-known/tidegate-config-keys` as a file; keys are pinned, never fetched.

    tidegate_verify.py config.yaml --keys keys.json --environment production
    tidegate_verify.py config.yaml --keys keys.json --state /var/lib/tidegate.json -- otelcol --config config.yaml

The signature is read from FILE.signature.json (what `GET /api/v1/configs/by-hash/HASH/signature`
answers). Ends with 0 when everything holds, else with 1 and one sentence; after `--` stands what is
run in its place when everything holds.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

# How far the clock of a host may be behind.
_LENIENCE = timedelta(minutes=5)
# Runs where Python is older than what has `datetime.UTC`.
_UTC = timezone.utc  # noqa: UP017


class NotValid(Exception):
    """The config must not be run; says why."""


def main() -> int:
    """Return 0 when the config may be run, else 1 (or run the command in our place)."""
    options, command = _options(sys.argv[1:])
    try:
        manifest = verify(
            config=options.file.read_bytes(),
            document=_json(options.signature or f"{options.file}.signature.json"),
            keys=_json(options.keys),
            environment=options.environment,
            last=_last(options.state),
            name=options.config,
        )
        if options.state:
            _remember(options.state, manifest)
    except (NotValid, OSError, ValueError) as error:
        sys.stderr.write(f"{options.file}: {error}\n")
        return 1
    if command:
        os.execvp(command[0], command)  # noqa: S606  what the caller asked for, no shell
    what = f"{manifest['config']} v{manifest['version']}, signed, until {manifest['expires']}"
    sys.stdout.write(f"{options.file}: {what}\n")
    return 0


def verify(
    *,
    config: bytes,
    document: Any,
    keys: Any,
    environment: str = "",
    last: dict[str, int] | None = None,
    name: str = "",
    now: datetime | None = None,
) -> dict[str, Any]:
    """Return the manifest of a config that may be run. `last` has the last version taken of each
    config. Raises NotValid."""
    at = now or datetime.now(_UTC)
    config_hash = hashlib.sha256(config).hexdigest()
    if _text(document, "config_hash") != config_hash:
        raise NotValid(
            f"its SHA-256 is {config_hash}, the signature is of {document['config_hash']}"
        )
    by_id = {key["kid"]: key["pem"] for key in keys["keys"]}
    _check(by_id, _text(document, "key_id"), _text(document, "signature"), config_hash.encode())
    text = _text(document, "manifest")
    kid = _text(document, "manifest_key_id")
    _check(by_id, kid, _text(document, "manifest_signature"), text.encode())
    manifest: dict[str, Any] = json.loads(text)
    if manifest["config_hash"] != config_hash:
        raise NotValid("the manifest is of another config")
    if name and manifest["config"] != name:
        raise NotValid(f"this is {manifest['config']}, wanted is {name}")
    if environment and manifest["environment"] != environment:
        raise NotValid(f"it is for {manifest['environment']}, this host is in {environment}")
    if at + _LENIENCE < _time(manifest["not_before"]):
        raise NotValid(f"its manifest begins at {manifest['not_before']}")
    if at >= _time(manifest["expires"]):
        raise NotValid(
            f"its manifest ended at {manifest['expires']}; a version in use is signed again"
        )
    before = (last or {}).get(manifest["config"], 0)
    if manifest["version"] < before and manifest.get("rollback_of") != before:
        raise NotValid(
            f"v{manifest['version']} is older than v{before}, which this host has taken, and no "
            f"rollback of v{before} is signed"
        )
    return manifest


def _check(keys: dict[str, str], kid: str, signature: str, content: bytes) -> None:
    if kid not in keys:
        raise NotValid(f"key {kid} is not among the {len(keys)} keys that this host trusts")
    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error as error:
        raise NotValid("the signature is no base64") from error
    with tempfile.TemporaryDirectory() as folder:
        key_file, signature_file = Path(folder, "key.pem"), Path(folder, "signature")
        key_file.write_text(keys[kid])
        signature_file.write_bytes(raw)
        words = [
            "openssl",
            "dgst",
            "-sha256",
            "-verify",
            str(key_file),
            "-signature",
            str(signature_file),
        ]
        done = subprocess.run(words, input=content, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotValid(f"the signature does not verify with key {kid}")


def _text(document: Any, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str) or not value:
        raise NotValid(f"the signature file has no {name}; is the version signed?")
    return value


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=_UTC)


def _json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text())


def _last(path: Path | None) -> dict[str, int]:
    if path is None or not path.exists():
        return {}
    kept: dict[str, int] = json.loads(path.read_text())
    return kept


def _remember(path: Path, manifest: dict[str, Any]) -> None:
    """Keep the version that was taken; a reader finds the old file or the new one."""
    kept = _last(path) | {manifest["config"]: manifest["version"]}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(kept))
    draft.replace(path)


def _options(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    command: list[str] = []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
    parser = argparse.ArgumentParser(prog="tidegate-verify", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="the config")
    parser.add_argument(
        "--keys", required=True, type=Path, help="file with the keys that are trusted"
    )
    parser.add_argument("--signature", type=Path, help="default: FILE.signature.json")
    parser.add_argument("--environment", default="", help="refuse a config of another one")
    parser.add_argument("--config", default="", help="refuse another config than NAME")
    parser.add_argument(
        "--state", type=Path, help="remembers the last version taken, against replay"
    )
    return parser.parse_args(words), command


if __name__ == "__main__":
    sys.exit(main())
