from __future__ import annotations

from pathlib import Path

import pytest

from agents.simulator.collector import COMPONENTS, refusal

EXAMPLES = Path(__file__).resolve().parents[3] / "console" / "demo" / "examples"
GOOD = """
receivers: {otlp: {}}
processors: {batch: {timeout: 1s}}
exporters: {debug: {verbosity: basic}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug]}
"""


def refusal_of(text: str) -> str | None:
    return refusal({"": text.encode()})


@pytest.mark.parametrize("name", ["edge-v1.yaml", "edge-v2.yaml"])
def test_runs_the_good_examples(name: str) -> None:
    assert refusal({"": (EXAMPLES / name).read_bytes()}) is None


def test_refuses_the_bad_example_for_its_value() -> None:
    error = refusal({"": (EXAMPLES / "edge-v3-bad.yaml").read_bytes()})
    assert error is not None
    assert error.endswith("'verbosity' unknown metrics level \"loud\"")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("otlp: {}", "otpl: {}", 'unknown type: "otpl" for id: "otpl"'),
        ("timeout: 1s", "timeout: 1", 'invalid duration "1"'),
        ("timeout: 1s", "send_batch_size: -1", "expected type 'uint32'"),
        ("timeout: 1s", "time_out: 1s", "has invalid keys: time_out"),
        ("processors: [batch]", "processors: [nope]", 'references processor "nope" which is not'),
        ("exporters: [debug]", "exporters: []", "must have at least one exporter"),
        ("traces:", "trace:", 'unknown signal "trace"'),
        ("receivers: {", "recievers: {", "has invalid keys: recievers"),
        ("debug: {verbosity: basic}", "debug: 7", "expected a map, got 'int'"),
        ("service:", "service: [\n#", "cannot parse remote config"),
    ],
)
def test_refuses_what_a_collector_refuses(old: str, new: str, words: str) -> None:
    error = refusal_of(GOOD.replace(old, new, 1))
    assert error is not None
    assert words in error


def test_runs_a_named_instance_and_a_connector_on_both_sides() -> None:
    text = """
receivers: {otlp/in: {}}
exporters: {debug/out: }
connectors: {forward: }
service:
  pipelines:
    traces/a: {receivers: [otlp/in], exporters: [forward]}
    traces/b: {receivers: [forward], exporters: [debug/out]}
"""
    assert refusal_of(text) is None


def test_refuses_a_component_that_this_build_lacks() -> None:
    components = {**COMPONENTS, "processors": ("memory_limiter",)}
    error = refusal({"": GOOD.encode()}, components)
    assert error is not None
    assert 'unknown type: "batch"' in error


def test_merges_the_files_of_a_config_map() -> None:
    receivers, rest = GOOD.strip().split("\n", 1)
    assert refusal({"a": receivers.encode(), "b": rest.encode()}) is None


def test_an_empty_config_has_no_pipeline() -> None:
    error = refusal({})
    assert error is not None
    assert "at least one pipeline" in error
