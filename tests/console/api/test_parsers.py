from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.parsers import (
    JSON_LIMIT_BYTES,
    LenientJSONParser,
    RawParser,
    loads,
)
from console.lib.problems import Invalid, Problem, TooLarge
from console.lib.yaml import DEFAULT_LIMITS


def test_json_is_read_whatever_it_is_called() -> None:
    body = io.BytesIO(b'{"reason": "why"}')
    read = LenientJSONParser().parse(body, "application/x-www-form-urlencoded")
    assert read == {"reason": "why"}


def test_an_empty_body_is_an_empty_object() -> None:
    assert loads(b" \n") == {}


def test_a_form_is_told_to_be_json() -> None:
    with pytest.raises(Invalid, match="looks like a form"):
        loads(b"reason=why", "application/x-www-form-urlencoded")


def test_a_mistake_is_placed() -> None:
    with pytest.raises(Invalid, match="line 2, column 3"):
        loads(b'{"a": 1,\n  b}')


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": "nul \\u0000"}}',
        b'{"\\ud800": 1}',
        b'["\\udfff"]',
        b"\xff\xfe",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b'{"a": 1} {"b": 2}',
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        loads(body)


def test_a_key_given_twice_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        loads(b'{"reason": "a", "reason": "b"}')
    assert refused.value.errors[0].path == "reason"


def test_a_body_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        LenientJSONParser().parse(io.BytesIO(b'"' + b"x" * JSON_LIMIT_BYTES + b'"'))


def test_a_config_may_be_larger_than_json() -> None:
    body = b"x" * DEFAULT_LIMITS.size_bytes
    assert RawParser().parse(io.BytesIO(body), "text/yaml") == body
    with pytest.raises(TooLarge):
        RawParser().parse(io.BytesIO(body + b"x"), "text/yaml")


def test_a_file_sent_as_a_form_is_told_how_to_be_sent() -> None:
    with pytest.raises(Invalid, match="--data-binary"):
        RawParser().parse(io.BytesIO(b"--x"), "multipart/form-data; boundary=x")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Problem):  # anything else fails the test
        loads(body)
