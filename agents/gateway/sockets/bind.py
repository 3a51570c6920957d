"""Listening sockets of our own, as `create_server` would make them."""

from __future__ import annotations

import asyncio
import socket


async def bind(host: str, port: int, backlog: int, *, reuse_port: bool) -> list[socket.socket]:
    """Return a listening socket for each address of `host`, all on one port. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _name, address in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            same_port = address[1] or sockets[0].getsockname()[1]
            one.bind((address[0], same_port, *address[2:]))
            one.listen(backlog)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets
