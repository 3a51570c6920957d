"""The head of an HTTP/1.1 request, as far as an upgrade to WebSocket needs it. Pure.

Anything that is not plainly such an upgrade is left to aiohttp, byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

MAX_BYTES = 16 * 1024
END = b"\r\n\r\n"
PROTOBUF = "application/x-protobuf"
UID_HEADER = "OpAMP-Instance-UID"
_REQUEST_LINE = re.compile(r"GET (?P<target>[!-~]+) HTTP/1\.1")
_HEADER = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[^\x00\r\n]*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request for a WebSocket on the OpAMP path, with its headers by lower-case name. `problem` says
    why it cannot be granted; `uid` is what the client calls itself, proven by nothing."""

    key: str
    headers: Mapping[str, Sequence[str]]
    problem: str = ""
    uid: str = ""


def media_type(content_type: str) -> str:
    """Return the media type in lower case, without parameters (OP-01)."""
    return content_type.partition(";")[0].strip().lower()


def read_upgrade(head: bytes, paths: Collection[str]) -> Upgrade | None:
    """Read a complete head; None when it is for aiohttp: another path, method or transport."""
    lines = head[: -len(END)].decode("latin-1").split("\r\n")
    request = _REQUEST_LINE.fullmatch(lines[0])
    if request is None or request["target"].partition("?")[0] not in paths:
        return None
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            return None
        headers.setdefault(match["name"].lower(), []).append(match["value"])
    return upgrade_in(headers)


def upgrade_in(headers: Mapping[str, Sequence[str]]) -> Upgrade | None:
    """Read the headers of a GET on the OpAMP path, by lower-case name; None for plain HTTP."""
    if "websocket" not in _tokens(headers.get("upgrade")):
        return None
    if media_type("".join(headers.get("content-type", ()))) == PROTOBUF:
        return None
    return _checked(headers)


def _checked(headers: Mapping[str, Sequence[str]]) -> Upgrade:
    keys = headers.get("sec-websocket-key", ())
    problem = ""
    if "upgrade" not in _tokens(headers.get("connection")):
        problem = "Connection does not say upgrade."
    elif list(headers.get("sec-websocket-version", ())) != ["13"]:
        problem = "Sec-WebSocket-Version must be 13."
    elif len(keys) != 1 or not _is_key(keys[0]):
        problem = "Sec-WebSocket-Key must be 16 bytes in base64."
    elif "content-length" in headers or "transfer-encoding" in headers:
        problem = "An upgrade has no body."
    uid = "".join(headers.get(UID_HEADER.lower(), ()))
    return Upgrade(keys[0] if keys else "", headers, problem, uid)


def _tokens(values: Sequence[str] | None) -> set[str]:
    return {token.strip().lower() for value in values or () for token in value.split(",")}


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
