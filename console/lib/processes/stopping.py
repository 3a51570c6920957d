"""Know that this process was asked to stop, so that a request which waits can answer and go.

A server that shuts down waits for its requests before it tells the application anything; a long
poll (`/wait`) would keep it for minutes. So the signal itself is listened to, in front of the
server's own handler, which is called next.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

stopping = threading.Event()


def listen() -> None:
    """Chain into SIGTERM and SIGINT. Only the main thread may; elsewhere nothing happens."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number)


def _chain(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def stop(received: int, frame: FrameType | None) -> None:
        stopping.set()
        if callable(before):
            before(received, frame)

    signal.signal(number, stop)
