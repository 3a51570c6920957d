"""The listening side of TLS: accepts, waits for the first byte, then has the handshake done.

Not `create_server(ssl=...)`: there a handshake that fails fails in silence, and whoever opens a socket and
says nothing is in nobody's books. Here each connection starts TLS with the context that is current at that
moment, operators see why one failed, and who says nothing costs a file descriptor and no more.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import errno
import logging
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus

from agents.gateway.metrics import Metrics
from agents.gateway.options import Limits
from agents.gateway.refusals import Refusals
from agents.gateway.tls.current import CurrentTls
from agents.gateway.tls.handshakes import Failed, failure

logger = logging.getLogger(__name__)

# Each takes about a millisecond of the processor: with more at once none would end in time.
MAX_HANDSHAKES = 256
_ACCEPT_AT_ONCE = 128
_HANDSHAKE = 0x16  # the first byte of a TLS record that begins a handshake
_GRACE_S = 1.0
_PAUSE_S = 1.0
_OUT_OF_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PLAIN = b"This port speaks TLS: use https:// or wss://.\n"
_TO_PLAIN = (
    f"HTTP/1.1 400 {HTTPStatus.BAD_REQUEST.phrase}\r\nContent-Type: text/plain\r\n"
    f"Content-Length: {len(_PLAIN)}\r\nConnection: close\r\n\r\n"
).encode() + _PLAIN

Protocols = Callable[[], asyncio.Protocol]


class _Newcomer:
    """A connection without TLS yet; `address` is kept, as one that is gone has none."""

    __slots__ = ("address", "since", "socket")

    def __init__(self, accepted: socket.socket, address: str) -> None:
        self.socket = accepted
        self.address = address
        self.since = time.monotonic()


class TlsPort:
    """Some listening sockets whose connections begin with a TLS handshake."""

    def __init__(
        self,
        tls: CurrentTls,
        protocols: Protocols,
        limits: Limits,
        metrics: Metrics,
        refusals: Refusals,
    ) -> None:
        self._tls = tls
        self._protocols = protocols
        self._limits = limits
        self._handshakes = metrics.tls_handshakes
        self._refused = metrics.refused
        self._refusals = refusals
        self._listening: list[socket.socket] = []
        # Who has said nothing yet, the oldest first.
        self._silent: dict[_Newcomer, None] = {}
        self._ready: collections.deque[_Newcomer] = collections.deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def unfinished(self) -> int:
        """How many connections have not ended their handshake."""
        return len(self._silent) + len(self._ready) + len(self._tasks)

    def serve(self, listening: list[socket.socket]) -> None:
        """Accept on these sockets, which are bound and listen."""
        loop = asyncio.get_running_loop()
        for one in listening:
            one.setblocking(False)
            loop.add_reader(one.fileno(), self._accept, one)
            self._listening.append(one)

    def close(self) -> None:
        """Accept nothing more; who has not begun is let go."""
        loop = asyncio.get_running_loop()
        listening, self._listening = self._listening, []
        for one in listening:
            loop.remove_reader(one.fileno())
            one.close()
        for silent in list(self._silent):
            self._let_go(silent)
        while self._ready:
            self._ready.popleft().socket.close()

    def look(self) -> None:
        """Cut connections that never begin; if there are too many, those that do not begin soon."""
        now = time.monotonic()
        crowd = len(self._silent) - self._limits.unproven_connections
        for position, one in enumerate(list(self._silent)):
            patience = _GRACE_S if position < crowd else self._limits.head_s
            if now - one.since > patience:
                self._refused.labels("slow_handshake").inc()
                self._let_go(one)

    # --- Accepting ---------------------------------------------------------------------------

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_ACCEPT_AT_ONCE):
            try:
                accepted, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as bad:
                if bad.errno not in _OUT_OF_ROOM:
                    raise
                logger.error("No connection can be accepted", extra={"error": str(bad)})
                loop.remove_reader(listening.fileno())
                loop.call_later(_PAUSE_S, self._accept_again, listening)
                return
            accepted.setblocking(False)
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            newcomer = _Newcomer(accepted, str(peer[0]))
            self._silent[newcomer] = None
            loop.add_reader(accepted.fileno(), self._heard, newcomer)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._listening:
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _let_go(self, one: _Newcomer) -> None:
        self._stop_waiting(one)
        one.socket.close()

    def _stop_waiting(self, one: _Newcomer) -> None:
        del self._silent[one]
        asyncio.get_running_loop().remove_reader(one.socket.fileno())

    def _heard(self, one: _Newcomer) -> None:
        """The first byte is there; it is looked at and left where it is."""
        try:
            first = one.socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._stop_waiting(one)
        if not first:
            one.socket.close()
        elif first[0] != _HANDSHAKE:
            self._answer_plain(one)
        elif len(self._tasks) < MAX_HANDSHAKES:
            self._begin(one)
        else:
            self._ready.append(one)

    def _answer_plain(self, one: _Newcomer) -> None:
        """Tell a client that speaks no TLS so, in its own words."""
        self._failed(one.address, Failed("tls_plain_text", "it does not speak TLS"))
        with contextlib.suppress(OSError):
            one.socket.recv(
                self._limits.scan_above_bytes
            )  # or closing would be a reset, and unread
            one.socket.send(_TO_PLAIN)
        one.socket.close()

    # --- Handshakes --------------------------------------------------------------------------

    def _begin(self, one: _Newcomer) -> None:
        task = asyncio.get_running_loop().create_task(self._shake_hands(one), name="handshake")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        while self._ready and len(self._tasks) < MAX_HANDSHAKES:
            self._begin(self._ready.popleft())

    async def _shake_hands(self, one: _Newcomer) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocols,
                one.socket,
                ssl=self._tls.context,
                ssl_handshake_timeout=self._limits.head_s,
            )
        except (ssl.SSLError, OSError) as bad:
            self._failed(one.address, failure(bad))
            one.socket.close()
        else:
            self._handshakes.labels("ok").inc()

    def _failed(self, address: str, why: Failed) -> None:
        self._handshakes.labels("failed").inc()
        if why.is_told:
            self._refused.labels(why.reason).inc()
            self._refusals.note(address, why.reason, detail=why.detail)
