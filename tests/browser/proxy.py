"""A wire between browser and console that can be cut: TCP on loopback, in threads of the test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Wire:
    """Forwards every connection to `port` until it is cut; a cut wire ends what it carries and
    refuses what comes."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End every connection, and each that comes, until `mend`."""
        self._is_cut = True
        for one in list(self._open):
            _end(one)

    def mend(self) -> None:
        """Carry again what comes from now on."""
        self._is_cut = False

    def close(self) -> None:
        """Stop for good."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                inward, _address = self._listening.accept()
            except OSError:
                return
            if self._is_cut:
                _end(inward)
                continue
            outward = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((inward, outward), (outward, inward)):
                self._open.add(one)
                threading.Thread(target=self._carry, args=[one, other], daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        _end(other)
        self._open.discard(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    """Lay a wire to a port for the time of a block."""
    found = Wire(port)
    try:
        yield found
    finally:
        found.close()
