"""A Redis that gives no answer is left alone for a while."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from console.lib import hints
from console.lib.redis import Patience


def test_a_lost_redis_is_left_alone_and_tried_again() -> None:
    patience = Patience(alone_s=60.0)
    assert not patience.is_out()
    patience.lose()
    assert patience.is_out()
    short = Patience(alone_s=0.0)
    short.lose()
    assert not short.is_out()


def test_one_hint_waits_for_a_redis_that_hangs_the_next_one_does_not(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_patience", Patience(alone_s=60.0))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert not hints.publish(hints.DESIRED, "1")
        silent.setblocking(False)
        silent.accept()[0].close()
        assert not hints.mark_dirty("fleet")
        with pytest.raises(BlockingIOError):
            silent.accept()
