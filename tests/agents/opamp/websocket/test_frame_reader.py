"""Frames from bytes, however they come, and what is wanted or passed over meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp.websocket import frames
from agents.opamp.websocket.frame_reader import TOO_BIG, Frame, FrameReader
from agents.opamp.websocket.frames import ProtocolError
from tests.agents.opamp.messages import masked

LIMIT = 1000
MESSAGE = masked(b"x" * 300)
PAYLOADS = st.binary(max_size=LIMIT)


def rest(reader: FrameReader) -> list[Frame]:
    """Return all frames that are whole."""
    return list(iter(reader.next, None))


@given(st.lists(PAYLOADS, max_size=4), st.lists(st.integers(1, 2000), max_size=6))
def test_frames_are_the_same_however_their_bytes_are_cut(
    payloads: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(masked(payload) for payload in payloads)
    reader, found = FrameReader(LIMIT), []
    for size in [*sizes, len(stream)]:
        reader.feed(stream[:size])
        found += rest(reader)
        stream = stream[size:]
    assert found == [(frames.BINARY, True, payload) for payload in payloads]
    assert reader.wanted == 0


def test_what_is_not_read_at_once_is_still_there_when_more_comes() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(MESSAGE + MESSAGE)
    assert reader.next() is not None
    reader.feed(MESSAGE)
    assert len(rest(reader)) == 2


def test_a_frame_is_wanted_as_soon_as_its_head_has_come() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(MESSAGE[:3])
    assert (reader.next(), reader.wanted) == (None, 0)
    reader.feed(MESSAGE[3:4])
    assert (reader.next(), reader.wanted) == (None, len(MESSAGE))


def test_a_frame_that_may_not_be_kept_is_read_past() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(MESSAGE[:20])
    assert reader.next() is None
    reader.pass_over()
    assert reader.wanted == 0
    reader.feed(MESSAGE[20:200])
    reader.feed(MESSAGE[200:] + masked(b"next"))
    assert rest(reader) == [(frames.BINARY, True, b"next")]


@pytest.mark.parametrize("cut", [8, 500, LIMIT + 9, LIMIT + 14])
def test_a_frame_that_is_too_big_is_read_past_and_the_next_one_seen(cut: int) -> None:
    stream = masked(b"x" * (LIMIT + 1)) + masked(b"", opcode=frames.CLOSE)
    reader = FrameReader(LIMIT)
    reader.feed(stream[:cut])
    found = rest(reader)
    reader.feed(stream[cut:])
    assert [opcode for opcode, *_ in found + rest(reader)] == [TOO_BIG, frames.CLOSE]


def test_pieces_count_against_the_size_of_their_message() -> None:
    reader = FrameReader(LIMIT)
    assert reader.join(frames.BINARY, False, b"x" * 800) is None
    reader.feed(masked(b"x" * 201, opcode=frames.CONTINUATION))
    assert rest(reader) == [(TOO_BIG, True, b"")]
    assert reader.pieces is None


def test_pieces_are_put_together_in_turn() -> None:
    reader = FrameReader(LIMIT)
    assert reader.join(frames.BINARY, False, b"one ") is None
    assert reader.join(frames.CONTINUATION, True, b"two") == b"one two"
    with pytest.raises(ProtocolError):
        reader.join(frames.CONTINUATION, True, b"three")


def test_nothing_is_read_or_kept_after_a_stop() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(MESSAGE[:20])
    assert reader.next() is None
    reader.stop()
    reader.feed(MESSAGE[20:] + MESSAGE)
    assert (rest(reader), reader.wanted) == ([], 0)
