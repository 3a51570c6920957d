from __future__ import annotations

import pytest

from console.lib.problems import Invalid, TooLarge
from rollouts.configs.parse import parse_config

CONFIG = b"""\
# a gateway
receivers:
  otlp:
    protocols: {grpc: {}}
exporters:
  debug:
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""


def curl_d(body: bytes) -> bytes:
    """Do what `curl -d @file` does to a file."""
    return body.replace(b"\r", b"").replace(b"\n", b"")


def test_a_config_is_read() -> None:
    assert parse_config(CONFIG).mark("service", "pipelines").line == 9


@pytest.mark.parametrize(
    "body",
    [
        CONFIG,
        CONFIG.removeprefix(b"# a gateway\n"),
        CONFIG.replace(b"\n", b"\r\n"),
        b"exporters:\n  debug:\n",
        b"---\nreceivers:\n  otlp:\n    endpoint: x\n",
    ],
)
def test_a_body_without_its_line_breaks_is_refused_with_the_right_flag(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        parse_config(curl_d(body))
    assert caught.value.code == "line_breaks_stripped"
    assert "curl --data-binary @file" in caught.value.detail


@pytest.mark.parametrize(
    "body", [b'{"receivers": {"otlp": {}}, "exporters": {}}', b"{receivers: {otlp: {}}}", b"a: 1"]
)
def test_a_body_that_is_one_line_by_right_is_read(body: bytes) -> None:
    assert parse_config(body).data


@pytest.mark.parametrize("body", [b"", b"\n", b"{}", b"# only a comment\n", b"null", b"---\n"])
def test_an_empty_config_is_refused_because_it_would_stop_a_collector(body: bytes) -> None:
    with pytest.raises(Invalid, match="would stop a collector") as caught:
        parse_config(body)
    assert caught.value.code == "empty"


@pytest.mark.parametrize("body", [b"- a\n- b\n", b"hello\n", b"7"])
def test_a_config_is_a_mapping(body: bytes) -> None:
    with pytest.raises(Invalid, match="not a mapping of sections"):
        parse_config(body)


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        (b"a: 1\nb: [\n", "edge.yaml:2", "did not find expected"),
        (b"a: 1\na: 2\n", "edge.yaml:2", 'key "a" is given twice'),
        (b"a: 1\n---\nb: 2\n", "edge.yaml:2", "only one is expected"),
        (b"a: \xff\n", "edge.yaml:1", "not UTF-8"),
        (b"[" * 200_000, "edge.yaml:1", "nested too deep"),
    ],
)
def test_what_does_not_parse_is_refused_with_its_line(body: bytes, place: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_config(body, file="edge.yaml")
    (error,) = caught.value.errors
    assert error.path == place
    assert words in error.message


def test_a_config_has_a_bound() -> None:
    with pytest.raises(TooLarge, match="at most 4,194,304"):
        parse_config(b"a: " + b"x" * 4 * 1024 * 1024)
