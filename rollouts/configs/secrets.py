"""Secrets written out in a config (security.md R44). Names the line, never the value. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from console.lib.secret_text import secrets_in
from console.lib.texts import Text, text
from console.lib.yaml import Document, Path

_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|access_?key|secret_?key|"
    r"private_?key|key_pem|authorization|credentials?|bearer)$"
)
_REFERENCE = re.compile(r"\$\{[^}]+\}|\$[A-Z_]+")


def literal_secrets(document: Document) -> Iterator[tuple[int, Text]]:
    """Yield line and sentence for each literal secret."""
    for path, key, value in _scalars(document.data):
        kind = _kind(key, value)
        if kind:
            says = text("config.holds_secret", key=_name(path), what=text(kind))
            yield document.mark(*path).line, says


def _kind(key: str, value: str) -> str | None:
    """Return the code of the text that names the secret."""
    found = next(secrets_in(value), None)
    if found is not None:
        return found.kind
    normal = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").replace(".", "_").lower()
    if _SECRET_KEY.search(normal) and value.strip() and not _REFERENCE.search(value):
        return "secret.literal"
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
