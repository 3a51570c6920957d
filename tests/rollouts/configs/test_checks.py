from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lib.yaml import Document, Mark, load
from rollouts.configs.checks import check_config
from rollouts.configs.findings import Finding, Level, blocks

GOOD = """\
receivers:
  otlp:
processors:
  batch:
    send_batch_size: 1000
exporters:
  debug:
    verbosity: basic
  otlp/backend:
    endpoint: ${env:BACKEND}
extensions:
  health_check:
connectors:
  count:
service:
  extensions: [health_check]
  telemetry: {logs: {level: info}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug, otlp/backend, count]
    metrics/counts:
      receivers: [count]
      exporters: [debug]
"""


def findings(text: str) -> list[Finding]:
    return [f for f in check_config(load(text)) if f.level is not Level.OK]


def the_finding(text: str) -> Finding:
    (finding,) = findings(text)
    return finding


def test_a_good_config_passes_every_check() -> None:
    found = check_config(load(GOOD))
    assert {finding.level for finding in found} == {Level.OK}
    assert len(found) == 8


WRONG = [
    ("receivers: [otlp]", "receivers: [otpl]", 20, "error", "otpl, which is not defined; did you"),
    ("processors: [batch]", "processors: [debug]", 21, "error", "debug is one of the exporters"),
    ("processors: [batch]", "processors: [batch, batch]", 21, "error", "named twice"),
    ("extensions: [health_check]", "extensions: [pprof]", 16, "error", "pprof, which is not"),
    ("  telemetry:", "  telemtry:", 17, "error", "did you mean telemetry?"),
    ("processors:\n  batch", "procesors:\n  batch", 3, "error", "did you mean processors?"),
    ("processors: [batch]", "procesors: [batch]", 21, "error", "did you mean processors?"),
    ("    metrics/counts:", "    metric/counts:", 23, "error", "is not a pipeline"),
    ("      receivers: [count]\n", "", 23, "error", "has no receivers; it needs at least one"),
    ("exporters: [debug, otlp/backend, count]", "exporters: debug", 22, "error", "not a list of"),
    (", count]", "]", 14, "error", "a connector joins two pipelines"),
    ("  batch:\n    send_batch_size: 1000", "  batch: 5", 4, "error", "its settings go here"),
    ("  otlp:\n", "  ot-lp:\n", 2, "error", "cannot name a receiver"),
    ("  debug:\n", "  debug:\n  file:\n", 8, "note", "exporter file is defined but not used"),
    ("extensions:\n  health_check:", "extensions: []", 11, "error", "a mapping goes here"),
    ("${env:BACKEND}", "https://me:pw@host", 10, "warning", "holds a password in a URL"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "level", "words"), WRONG, ids=[words for *_, words in WRONG]
)
def test_a_wrong_config_is_pointed_at(
    old: str, new: str, line: int, level: str, words: str
) -> None:
    assert old in GOOD
    found = findings(GOOD.replace(old, new, 1))
    assert (line, level, True) in {(f.line, f.level.value, words in f.message) for f in found}


def test_a_config_without_pipelines_is_warned_about() -> None:
    finding = the_finding("service: {pipelines: {}}\nreceivers:\n")
    assert (finding.level, finding.line) == (Level.WARNING, 1)


def test_another_kind_of_config_is_only_checked_for_syntax() -> None:
    finding = the_finding("log_level: debug\n")
    assert finding.level is Level.NOTE
    assert "not a collector configuration" in finding.message


SECRETS = [
    "api_key: abc123",
    "x-api-key: abc123",
    "clientSecret: abc123",
    "password: hunter2",
    "authorization: Bearer abcdefghijkl",
    "header: Bearer abcdefghijkl",
    'key: "-----BEGIN RSA PRIVATE KEY-----"',
    "id: AKIAABCDEFGHIJKLMNOP",
    "t: ghp_" + "a" * 36,
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_literal_secret_is_a_warning_that_does_not_repeat_it(line: str) -> None:
    finding = the_finding(GOOD.replace("endpoint: ${env:BACKEND}", line))
    assert (finding.level, finding.line) == (Level.WARNING, 10)
    assert line.split(": ", 1)[1].strip('"') not in finding.message


@pytest.mark.parametrize(
    "line",
    [
        "api_key: ${env:KEY}",
        "password: ${file:/run/secret}",
        'authorization: "Bearer ${env:TOKEN}"',
        "token_file: /run/token",
        "token_url: https://id.example/token",
        "tokens: 5",
        "password:",
    ],
)
def test_what_only_points_at_a_secret_is_fine(line: str) -> None:
    assert findings(GOOD.replace("endpoint: ${env:BACKEND}", line)) == []


def test_components_are_compared_with_what_agents_report() -> None:
    names = "processor:batch exporter:debug exporter:otlp connector:count extension:health_check"
    full = frozenset(["receiver:otlp", *names.split()])
    found = check_config(load(GOOD), component_sets=[full, full - {"processor:batch"}])
    (finding,) = [f for f in found if f.level is not Level.OK]
    assert finding.message == "processor batch is not in 1 of 2 builds that agents report."
    assert finding.line == 4


def test_stored_errors_block_a_rollout() -> None:
    stored = [f.to_dict() for f in findings(GOOD.replace("receivers: [otlp]", "receivers: [x]"))]
    assert blocks(stored) == ["line 20: pipeline traces uses receiver x, which is not defined."]


NAMES = st.sampled_from(
    ["receivers", "exporters", "service", "pipelines", "traces", "otlp", "connectors", "extensions"]
)
DATA = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=4), NAMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, DATA, min_size=1))
def test_any_shape_of_config_is_checked(data: dict[str, object]) -> None:
    document = Document(data, Mark(1, 1), {}, {})  # type: ignore[arg-type]
    assert check_config(document)
