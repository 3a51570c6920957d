"""Secrets written out in a config (security.md R44). Names the line, never the value. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from console.lib.yaml import Document, Path

_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|access_?key|secret_?key|"
    r"private_?key|key_pem|authorization|credentials?|bearer)$"
)
_KNOWN = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}"),
    "a Slack token": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    "an authorization header": re.compile(r"^(?:Bearer|Basic)\s+(?!\$\{)\S{8,}", re.IGNORECASE),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@$]+:(?!\$\{)[^/\s@]+@"),
}
_REFERENCE = re.compile(r"\$\{[^}]+\}|\$[A-Z_]+")
ADVICE = "take it from the agent instead, as ${env:NAME} or ${file:PATH}"


def literal_secrets(document: Document) -> Iterator[tuple[int, str]]:
    """Yield line and sentence for each literal secret."""
    for path, key, value in _scalars(document.data):
        kind = _kind(key, value)
        if kind:
            yield document.mark(*path).line, f"{_name(path)} holds {kind}; {ADVICE}."


def _kind(key: str, value: str) -> str | None:
    for kind, pattern in _KNOWN.items():
        if pattern.search(value):
            return kind
    normal = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").replace(".", "_").lower()
    if _SECRET_KEY.search(normal) and value.strip() and not _REFERENCE.search(value):
        return "a literal secret"
    return None


def _scalars(root: object) -> Iterator[tuple[Path, str, str]]:
    """Yield path, nearest key and text of every text value, without recursion."""
    stack: list[tuple[Path, str, Any]] = [((), "", root)]
    while stack:
        path, key, value = stack.pop()
        if isinstance(value, dict):
            stack += [((*path, name), name, inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            inner_items = [((*path, n), key, inner) for n, inner in enumerate(value)]
            stack += reversed(inner_items)
        elif isinstance(value, str):
            yield path, key, value


def _name(path: Path) -> str:
    return ".".join(map(str, path))[:120]
