"""Is it up, is it free? Small questions to ports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit


class PortTaken(Exception):
    """A port that we need belongs to somebody else; the message names it and the flag."""


def check_port_free(host: str, port: int, flag: str) -> None:
    """Raise PortTaken when another program listens on `port`, or we may not.

    SO_REUSEADDR only looks past connections that are closing; a listener still counts.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} on {host} cannot be used ({error.strerror}): "
                f"choose another with {flag} N"
            ) from None


def answers_http(url: str) -> Callable[[], Awaitable[bool]]:
    """Return a question: does `url` answer with a status below 400?"""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    request = (
        f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    )

    async def ask() -> bool:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(request.encode())
                    status_line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        words = status_line.split()
        return len(words) > 1 and words[1].isdigit() and int(words[1]) < 400

    return ask


def accepts(host: str, port: int) -> Callable[[], Awaitable[bool]]:
    """Return a question: does something accept connections there?"""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return ask


def reachable(host: str) -> str:
    """Return the address under which we reach a listener on `host` from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only


def in_url(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
