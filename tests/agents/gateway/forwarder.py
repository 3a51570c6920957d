"""A way to a server that can be cut and mended, so that only what goes through it notices."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Forwarder:
    """Passes TCP connections on to another port. `cut()` ends all of them and takes no new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._sockets: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._change = threading.Lock()
        self.port = 0
        self.mend()

    def mend(self) -> None:
        """Take connections, again on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                with self._change:
                    if listener is not self._listener:
                        near.close()  # cut between the two lines
                        return
                    far = socket.create_connection(self._target)
                    self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        with self._change:
            for one in [self._listener, *self._sockets]:
                if one is not None:
                    with suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
                    one.close()
            self._listener, self._sockets = None, []


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
