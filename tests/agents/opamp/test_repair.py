"""One byte that is not UTF-8 loses no report: it is replaced, and nothing else is touched."""

from __future__ import annotations

from typing import cast

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp import opamp_pb2 as pb
from agents.opamp.anyvalue_pb2 import AnyValue, KeyValue
from agents.opamp.repair import Unreadable, repaired
from tests.agents.opamp.messages import reports

HEALTH = cast(Descriptor, pb.ComponentHealth.DESCRIPTOR)
CONFIG = cast(Descriptor, pb.EffectiveConfig.DESCRIPTOR)
REPORT = cast(Descriptor, pb.AgentToServer.DESCRIPTOR)
MARK = "BAD-TEXT"


def spoilt(message: pb.ComponentHealth, bad: bytes = b"\xff\xfe-TEXT\xc3") -> bytes:
    """Return the message with each MARK, as long as `bad`, in bytes that are not UTF-8."""
    assert len(bad) == len(MARK)
    return message.SerializeToString().replace(MARK.encode(), bad)


def test_the_parser_refuses_such_text() -> None:
    with pytest.raises(DecodeError):
        pb.ComponentHealth.FromString(spoilt(pb.ComponentHealth(last_error=MARK)))


def test_a_bad_byte_is_replaced_and_the_rest_stays() -> None:
    raw = spoilt(pb.ComponentHealth(healthy=True, last_error=f"disk {MARK}!", status="StatusOK"))
    mended, count = repaired(HEALTH, raw)
    health = pb.ComponentHealth.FromString(mended)
    assert health.last_error == "disk \ufffd\ufffd-TEXT\ufffd!"
    assert (health.healthy, health.status, count) == (True, "StatusOK", 1)


def test_deep_texts_names_and_attributes_are_mended_and_lengths_follow() -> None:
    leaf = pb.ComponentHealth(
        last_error="x" * 120 + MARK,
        start_time_unix_nano=7,
        attributes=[KeyValue(key=MARK, value=AnyValue(string_value=MARK))],
    )
    middle = pb.ComponentHealth(component_health_map={MARK: leaf, "good": pb.ComponentHealth()})
    tree = pb.ComponentHealth(component_health_map={"receivers": middle}, status="StatusOK")
    mended, count = repaired(HEALTH, spoilt(tree))
    health = pb.ComponentHealth.FromString(mended)
    assert health.status == "StatusOK"
    inner = health.component_health_map["receivers"].component_health_map
    assert set(inner) == {"\ufffd\ufffd-TEXT\ufffd", "good"}
    found = inner["\ufffd\ufffd-TEXT\ufffd"]
    assert found.last_error.startswith("x" * 120 + "\ufffd")
    assert found.start_time_unix_nano == 7
    assert count == 4


def test_bytes_fields_stay_as_they_are() -> None:
    body = b"\xff\xfe: 1\n"
    files = {MARK: pb.AgentConfigFile(body=body, content_type="text/yaml")}
    message = pb.EffectiveConfig(config_map=pb.AgentConfigMap(config_map=files))
    raw = message.SerializeToString().replace(MARK.encode(), b"\xff\xfe-TEXT\xc3")
    mended, count = repaired(CONFIG, raw)
    (file,) = pb.EffectiveConfig.FromString(mended).config_map.config_map.values()
    assert (file.body, count) == (body, 1)


@given(reports())
def test_a_good_message_is_not_touched(report: pb.AgentToServer) -> None:
    raw = report.SerializeToString()
    assert repaired(REPORT, raw) == (raw, 0)


@given(st.binary(max_size=80))
def test_any_bytes_are_mended_or_refused_by_name(raw: bytes) -> None:
    try:
        mended, count = repaired(HEALTH, raw)
    except Unreadable:
        return
    assert (mended == raw) == (count == 0)


def test_a_message_nested_without_end_is_refused() -> None:
    raw = b""
    for _ in range(300):
        raw = b"\x12" + _length(raw) + raw  # the value of an entry
        raw = b"\x32" + _length(raw) + raw  # in component_health_map
    with pytest.raises(Unreadable):
        repaired(HEALTH, raw)


def _length(raw: bytes) -> bytes:
    size, out = len(raw), b""
    while size > 0x7F:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size])
