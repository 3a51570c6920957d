from __future__ import annotations

import re
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.opamp.containment import contains
from agents.opamp.redact import Redactor

SENT = """\
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  batch: {timeout: 60s}
exporters:
  debug: {verbosity: detailed}
  otlphttp:
    endpoint: https://user:pw@backend:4318
    sending_queue: {enabled: true, queue_size: 1000}
    headers: {authorization: Bearer abc, x-host: "${env:HOST}"}
service:
  extensions: [health_check]
  telemetry: {logs: {level: INFO}}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug, otlphttp]}
"""
# What a collector 0.149 under a supervisor makes of it.
SHOWN = """\
connectors: {}
exporters:
    debug:
        output_paths: []
        sending_queue: null
        verbosity: Detailed
    otlphttp:
        compression: gzip
        endpoint: https://user:pw@backend:4318
        headers:
            - name: authorization
              value: '[REDACTED]'
            - name: x-host
              value: '[REDACTED]'
        retry_on_failure:
            max_elapsed_time: 5m0s
        sending_queue:
            num_consumers: 10
            queue_size: 1000
extensions:
    health_check:
        endpoint: 127.0.0.1:0
        path: /
    opamp:
        instance_uid: 0196f2a8
processors:
    batch:
        send_batch_size: 8192
        timeout: 1m0s
receivers:
    otlp:
        protocols:
            grpc: null
            http:
                cors: null
                endpoint: 127.0.0.1:0
service:
    extensions:
        - health_check
        - opamp
    pipelines:
        traces:
            exporters:
                - debug
                - otlphttp
            processors:
                - batch
            receivers:
                - otlp
    telemetry:
        logs:
            encoding: json
            level: info
        metrics:
            readers:
                - periodic: {}
"""
REDACTOR = Redactor(b"k" * 32)


def test_a_config_contains_itself() -> None:
    assert contains(SENT, SENT)


def test_what_a_collector_and_its_supervisor_add_does_not_hide_what_was_sent() -> None:
    assert contains(SENT, SHOWN)


def test_the_stored_redacted_copy_serves_as_well() -> None:
    assert contains(SENT, REDACTOR.redact(SHOWN))
    assert contains(REDACTOR.redact(SENT), REDACTOR.redact(SHOWN))


OTHER = [
    ("timeout: 60s", "timeout: 61s"),
    ("queue_size: 1000", "queue_size: 2000"),
    ("exporters: [debug, otlphttp]", "exporters: [debug]"),
    ("processors: [batch], ", ""),
    ("exporters: [debug, otlphttp]", "exporters: [otlphttp, debug]"),
    ("level: INFO", "level: DEBUG"),
    ("backend:4318", "backend:4319"),
    ("  debug: {verbosity: detailed}\n", "  debug: {verbosity: detailed}\n  file: {}\n"),
    ("extensions: [health_check]", "extensions: [health_check, pprof]"),
    ('endpoint: "127.0.0.1:0"}}\nrec', 'endpoint: "127.0.0.1:0", path: /x}}\nrec'),
    ('x-host: "${env:HOST}"', 'x-other: "${env:HOST}"'),
    ("    traces: {", "    metrics: {receivers: [otlp], exporters: [debug]}\n    traces: {"),
    ("otlp: {protocols", "otlp/two: {protocols"),
]


@pytest.mark.parametrize(("old", "new"), OTHER, ids=[new for _, new in OTHER])
def test_another_config_is_not_contained(old: str, new: str) -> None:
    assert old in SENT
    assert not contains(SENT.replace(old, new), SHOWN)


def test_a_config_with_less_is_not_contained_in_the_one_before() -> None:
    without = re.sub(r"(?s)  otlphttp:.*?(?=service)", "", SENT).replace("debug, otlphttp", "debug")
    assert not contains(without, SHOWN)
    more = SHOWN.replace(
        "        traces:\n", "        logs: {receivers: [otlp]}\n        traces:\n"
    )
    assert not contains(SENT, more)


MEANS = [
    ("1m", "1m0s", True),
    ("90s", "1m30s", True),
    ("500ms", "0.5s", True),
    ("5s", "5000000000", True),
    ("5s", "5", False),
    ("1.0", "1", True),
    ("'8080'", "8080", True),
    ("true", "'true'", True),
    ("true", "1", False),
    ("detailed", "Detailed", True),
    ("tenant-a", "Tenant-A", False),
    ("${env:X}", "anything", True),
    ("${env:X}", "{a: [1]}", True),
    ("http://${env:X}:4318", "http://10.0.0.1:4318", True),
    ("http://${env:X}:4318", "http://10.0.0.1:4317", False),
    ("a${env:X}b${env:Y}c", "a1b2c", True),
    ("a${env:X}b${env:Y}c", "a12c", False),
    ("ab${env:X}bc", "abc", False),
    ("$$${env:X}", "$7", True),
    ("${file:a}", "${file:a}", True),
    ("secret", "'[REDACTED]'", True),
    ("redacted:00000001", "redacted:00000002", False),
    ("redacted:00000001", "redacted:00000001", True),
    ("https://u:p@host", "https://redacted:00000001@host", True),
    ("https://u:p@host", "https://redacted:00000001@other", False),
    ("{enabled: false}", "null", True),
    ("{enabled: true}", "null", False),
    ("null", "{grpc: {endpoint: x}}", True),
    ("{}", "{a: 1}", True),
    ("[]", "[1]", False),
    ("[{a: 1}]", "[{a: 1, b: 2}]", True),
    ("[1, 2]", "[2, 1]", False),
    ("{a: 1}", "[{name: a, value: 1}]", True),
    ("{a: 1}", "[{name: a, value: 2}]", False),
]


@pytest.mark.parametrize(("sent", "shown", "holds"), MEANS, ids=[f"{a}~{b}" for a, b, _ in MEANS])
def test_values_are_compared_by_what_they_mean(sent: str, shown: str, holds: bool) -> None:
    ours, theirs = (f"exporters:\n  x:\n    v: {value}\n" for value in (sent, shown))
    assert contains(ours, theirs) is holds


@pytest.mark.parametrize(
    "text", ["", "{}", "a: [", "a", "- a", "\x00", "a: &x [*x]", "a: " + "[" * 500, "x" * (5 << 20)]
)
def test_what_cannot_be_read_contains_nothing_and_is_in_nothing(text: str) -> None:
    assert not contains(text, SHOWN)
    assert not contains(SENT, text)


def test_a_component_under_its_old_name_is_the_same() -> None:
    assert contains(SENT, SHOWN.replace("otlphttp", "otlp_http"))
    assert contains(SENT.replace("otlphttp", "otlp_http"), SHOWN)


def test_hostile_text_is_read_in_bounds() -> None:
    """Each piece could stand in thousands of places; the search never goes back."""
    sent = "a: " + "x${env:A}" * 90_000 + "y"
    assert not contains(sent, "a: " + "x" * 900_000)
    assert not contains("a: " + "${env:A" * 100_000, "a: " + "x" * 100_000)
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        contains("a: " + "x${env:A}" * 90 + "y", "a: " + "x" * 100_000)
    finally:
        sys.setprofile(None)
    assert steps < 5_000


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.text("abc-_ /:", max_size=8)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), TREES, min_size=1))
def test_every_config_contains_itself_and_what_lies_beside_does_not_matter(
    config: dict[str, object],
) -> None:
    text = yaml.safe_dump(config)
    assert contains(text, text)
    assert contains(text, yaml.safe_dump({**config, "added by a supervisor": {"a": 1}}))
