"""HTTP connections that read nothing after one moment, however slowly the other side answers.

A time-out of a socket starts anew with every byte, and the standard library reads status line,
headers and chunk sizes without a clock of its own: a header line a second would hold a worker for
ever. Here each read of the socket gets only the time that is left.
"""

from __future__ import annotations

import io
import socket
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any

import urllib3


class _TimedReads(io.RawIOBase):
    """The socket's bytes until `deadline` (monotonic seconds). Raises TimeoutError from then on."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **words: Any) -> None:
        super().__init__(sock, *args, **words)
        self.fp = io.BufferedReader(_TimedReads(self.fp.detach(), sock, deadline))


def end_reads_at(pool: urllib3.HTTPConnectionPool, deadline: float) -> None:
    """Let every connection that the pool makes from now on read until `deadline` at the latest."""
    response_class = staticmethod(partial(_TimedResponse, deadline=deadline))
    pool.ConnectionCls = type("Timed", (pool.ConnectionCls,), {"response_class": response_class})
