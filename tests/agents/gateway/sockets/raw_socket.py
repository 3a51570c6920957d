"""WebSocket by hand, for clients that misbehave: frozen, slow, half open."""

from __future__ import annotations

import base64
import os
import socket
import struct

from tests.agents.gateway.running import PATH, RunningGateway


def open_raw(gateway: RunningGateway) -> socket.socket:
    """Connect and upgrade; nothing is read or answered afterwards unless the test does it."""
    raw = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    raw.sendall(
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += raw.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return raw


def send_frame(raw: socket.socket, data: bytes, opcode: int = 2, *, final: bool = True) -> None:
    """Send one masked frame."""
    first = (0x80 if final else 0) | opcode
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    raw.sendall(head + b"\x00\x00\x00\x00" + data)
