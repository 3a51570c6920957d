"""A TLS server that takes connections and says nothing: what our own proof of an entrance needs."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.lib.certificate_making import Pair


@contextmanager
def tls_entrance(pair: Pair, folder: Path) -> Iterator[int]:
    """Listen on loopback with this certificate; yields the port."""
    chain = folder / "server.pem"
    chain.write_bytes(pair.pem.encode() + pair.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                plain, _ = listening.accept()
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.settimeout(1)
                    secure.recv(1)
            except OSError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        is_over.set()
        thread.join()
        listening.close()
