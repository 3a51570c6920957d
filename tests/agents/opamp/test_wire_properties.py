"""Any message survives the codec, any bytes are taken or refused by name (OP-24, OP-25)."""

from __future__ import annotations

import time

import pytest
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]
from hypothesis import example, given
from hypothesis import strategies as st

from agents.opamp import opamp_pb2 as pb
from agents.opamp import scan
from agents.opamp.scan import Report
from agents.opamp.websocket import frames
from agents.opamp.websocket.frames import ProtocolError
from agents.opamp.wire import Malformed, decode_from_server, encode, payload_of
from tests.agents.opamp.messages import masked, reports, spoilt

ANY = st.binary(max_size=64) | spoilt(reports().map(encode))
SIZES = st.sampled_from([0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536])


@given(reports())
def test_a_message_comes_out_of_the_codec_as_it_went_in(report: pb.AgentToServer) -> None:
    assert pb.AgentToServer.FromString(payload_of(encode(report))) == report


@given(reports())
def test_a_long_zero_header_is_the_same_header(report: pb.AgentToServer) -> None:
    payload = report.SerializeToString()
    assert payload_of(b"\x80\x80\x00" + payload) == payload_of(b"\x00" + payload) == payload


@given(ANY)
def test_any_bytes_are_a_message_or_malformed(frame: bytes) -> None:
    for read in (payload_of, decode_from_server, scan.split, scan.decode):
        try:
            read(frame)
        except Malformed:
            continue


@given(ANY, st.integers(0, 200), st.integers(0, 8))
def test_measuring_any_bytes_ends_or_says_malformed(data: bytes, elements: int, depth: int) -> None:
    try:
        scan.measure(data, max_elements=elements, max_depth=depth)
    except Malformed:
        return


@given(reports())
def test_a_valid_message_within_the_limits_is_never_refused(report: pb.AgentToServer) -> None:
    scan.measure(report.SerializeToString(), max_elements=10_000, max_depth=64)


def same(report: Report, parsed: pb.AgentToServer) -> bool:
    """Compare what was split off with what the parser made of the same bytes."""
    plain = (report.uid, report.sequence_num, report.capabilities, report.flags)
    joined = pb.AgentToServer()
    for number, raw in report.parts.items():
        joined.MergeFromString(_VarintBytes(number << 3 | 2) + _VarintBytes(len(raw)) + raw)
    parts = pb.AgentToServer()
    parts.CopyFrom(parsed)
    for name in ("instance_uid", "sequence_num", "capabilities", "flags"):
        parts.ClearField(name)
    parts.DiscardUnknownFields()
    joined.DiscardUnknownFields()
    return joined == parts and plain == (
        parsed.instance_uid,
        parsed.sequence_num,
        parsed.capabilities,
        parsed.flags,
    )


@given(st.lists(reports(), min_size=1, max_size=3))
def test_split_reads_what_the_parser_reads_of_messages_joined(many: list[pb.AgentToServer]) -> None:
    payload = b"".join(one.SerializeToString() for one in many)
    assert same(scan.split(payload), pb.AgentToServer.FromString(payload))


@given(spoilt(reports().map(pb.AgentToServer.SerializeToString)) | st.binary(max_size=64))
@example(b"\x0b\x0b\x0c\x0c")
def test_split_takes_whatever_the_parser_takes_and_reads_it_alike(payload: bytes) -> None:
    try:
        parsed = scan.decode(payload)
    except Malformed:
        return
    assert same(scan.split(payload), parsed)


# --- Frames --------------------------------------------------------------------------------


@given(SIZES, st.binary(min_size=4, max_size=4))
def test_a_masked_frame_of_any_length_is_read_back(size: int, mask: bytes) -> None:
    payload = bytes(number % 251 for number in range(size))
    frame = masked(payload, mask)
    sizes = frames.measure(frame, 0)
    assert sizes is not None
    head, length = sizes
    assert (length, head + length) == (size, len(frame))
    assert frames.unmask(frame[head:], frame[head - 4 : head]) == payload


@given(SIZES)
def test_a_frame_of_ours_says_its_own_length(size: int) -> None:
    frame = frames.message(b"x" * size)
    # The head of a client's frame is the same but for the mask.
    as_clients = bytes([frame[0], frame[1] | 0x80]) + frame[2:]
    sizes = frames.measure(as_clients, 0)
    assert sizes is not None
    head, length = sizes
    assert (length, head - 4 + length) == (size + 1, len(frame))


@given(st.binary(max_size=20), st.integers(0, 5))
def test_any_head_is_measured_awaited_or_a_protocol_error(data: bytes, at: int) -> None:
    try:
        sizes = frames.measure(data, at)
    except ProtocolError:
        return
    assert sizes is None or sizes[1] >= 0


@given(st.binary(max_size=130))
def test_any_close_frame_has_a_code_or_is_a_protocol_error(data: bytes) -> None:
    try:
        assert 1000 <= frames.close_code(data) < 5000
    except ProtocolError:
        return


@pytest.mark.parametrize("text", ["", "short", "\N{SNOWMAN}" * 100])
def test_a_reason_of_any_length_fits_a_close_frame(text: str) -> None:
    frame = frames.closing(1008, text)
    assert len(frame) <= 127
    frame[4:].decode()


def test_a_part_in_very_many_pieces_is_joined_at_once() -> None:
    piece = b"\x1a\x02\x0a\x00"
    first = b"\x1a\x80\x80\x40" + b"x" * (1 << 20)
    started = time.perf_counter()
    parts = scan.split(first + piece * 90_000).parts
    # One by one this copies a megabyte 90,000 times.
    assert time.perf_counter() - started < 5
    assert parts[3] == b"x" * (1 << 20) + b"\x0a\x00" * 90_000
