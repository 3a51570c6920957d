"""The console under a real uvicorn in a thread, asked over plain sockets: bytes in, bytes out."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from console.asgi import application

PATIENCE_S = 15.0


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Leave them alone: signals belong to pytest."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request; status 0 when the server only hung up."""

    status: int
    head: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A running console."""

    port: int
    server: uvicorn.Server

    def wait_idle(self) -> None:
        """Wait until it has closed every connection, and what served them has ended."""
        state, deadline = self.server.server_state, time.monotonic() + PATIENCE_S
        while state.connections or state.tasks:
            assert time.monotonic() < deadline, f"still busy with {state.tasks}"
            time.sleep(0.02)

    def send(self, request: bytes) -> Reply:
        """Send these bytes on a connection of their own and read until the server ends it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as wire:
            wire.sendall(request)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while not _is_whole(received) and (part := wire.recv(65536)):
                    received += part
        head, _, body = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0
        return Reply(status, head.decode("latin-1"), body)


def _is_whole(received: bytes) -> bool:
    """Tell whether an answer is complete; one without a length ends with its connection."""
    head, ended, body = received.partition(b"\r\n\r\n")
    if not ended:
        return False
    if head.startswith(b"HTTP/1.1 101"):
        return True  # a WebSocket that was let in
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1])


@contextlib.contextmanager
def served() -> Iterator[Served]:
    """Serve the console on a free port. Its log lines go where those of the test go."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, log_config=None, timeout_graceful_shutdown=1, proxy_headers=False
    )
    running = _Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not running.started:
        assert time.monotonic() < deadline, "the console did not start"
        time.sleep(0.02)
    try:
        yield Served(listening.getsockname()[1], running)
    finally:
        running.should_exit = True
        thread.join(timeout=10)
        listening.close()
