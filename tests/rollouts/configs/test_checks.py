from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.components import lacking
from console.lib.yaml import Document, Mark, load
from rollouts.configs.checks import check_config
from rollouts.configs.findings import Check, ConfigFinding, Severity, worded

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


def findings(text: str) -> list[ConfigFinding]:
    return [f for f in check_config(load(text)) if f.level is not Severity.OK]


def the_finding(text: str) -> ConfigFinding:
    (finding,) = findings(text)
    return finding


def test_a_good_config_passes_every_check() -> None:
    found = check_config(load(GOOD))
    assert {finding.level for finding in found} == {Severity.OK}
    assert len(found) == 11


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


def test_another_kind_of_config_is_only_checked_for_syntax() -> None:
    finding = the_finding("log_level: debug\n")
    assert finding.level is Severity.NOTE
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
    assert (finding.level, finding.line) == (Severity.WARNING, 10)
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
    (finding,) = [f for f in found if f.level is not Severity.OK]
    assert finding.message == "processor batch is not in 1 of 2 builds that agents report."
    assert finding.line == 4


def test_stored_errors_block_a_rollout() -> None:
    stored = [f.to_dict() for f in findings(GOOD.replace("receivers: [otlp]", "receivers: [x]"))]
    final = [worded(one) for one in stored if one["final"]]
    assert [(one["line"], one["message"]) for one in final] == [
        (20, "pipeline traces uses receiver x, which is not defined.")
    ]


def test_a_renamed_component_is_in_builds_that_report_its_present_name() -> None:
    assert lacking(["exporter:otlphttp", "exporter:otlp"], {"exporter:otlp_http"}) == [
        "exporter:otlp"
    ]
    # A build that knows only the old name is older than the present one.
    assert lacking(["exporter:otlp_http"], {"exporter:otlphttp"}) == ["exporter:otlp_http"]
    assert lacking(["receiver:otlp"], {"receiver:otlp_grpc"}) == ["receiver:otlp"]


FINAL = [
    ("receivers:\nservice:\n", "receivers is empty. A supervisor keeps"),
    ("receivers:\nservice:\n", "service is empty. A supervisor keeps"),
    ("receivers:\nservice:\n", "There are no pipelines in service"),
    ("receivers: {}\nexporters: {debug: }\n", "There are no receivers;"),
    ("receivers: {otlp: }\nexporters: {}\n", "There are no exporters;"),
    (GOOD.replace("extensions:\n  health_check:", "extensions:"), "extensions is empty."),
    (GOOD.replace("connectors:\n  count:", "connectors:"), "connectors is empty."),
    (GOOD.replace("processors:\n  batch:\n    send_batch_size: 1000", "processors:"), "is empty."),
    (GOOD.replace("      receivers: [otlp]\n", ""), "pipeline traces has no receivers"),
    (GOOD.replace("      receivers: [otlp]", "      receivers: []"), "traces has no receivers"),
    (GOOD.replace("exporters: [debug]", "exporters:"), "metrics/counts has no exporters"),
    (GOOD.replace("receivers: [otlp]", "receivers: [x]"), "receiver x, which is not defined"),
    (GOOD.replace("processors: [batch]", "processors: [x]"), "processor x, which is not defined"),
    (GOOD.replace("[health_check]", "[x]"), "service.extensions names x, which is not defined"),
    (GOOD.split("  pipelines:")[0] + "  pipelines: []\n", "There are no pipelines"),
    (GOOD.split("  pipelines:")[0] + "  pipelines: [traces]\n", "a mapping goes here"),
    (GOOD.split("    traces:")[0] + "    traces:\n", "receivers and exporters go here"),
    (GOOD.split("service:")[0], "There are no pipelines in service"),
]


@pytest.mark.parametrize(("text", "words"), FINAL)
def test_what_no_collector_can_run_is_final(text: str, words: str) -> None:
    final = [f for f in findings(text) if f.is_final]
    assert any(words in f.message for f in final), findings(text)
    assert all(f.level is Severity.ERROR for f in final)


PROVIDED = [
    ("receivers:\n  otlp:", "receivers: ${file:receivers.yaml}", "receivers comes from ${file:re"),
    ("exporters: [debug]", 'exporters: ["${env:X}"]', "exporters names ${env:X}; what that is"),
    ("exporters: [debug]", "exporters: ${env:X}", "exporters comes from ${env:X}"),
    ("receivers: [otlp]", 'receivers: [otlp, "in/${env:X}"]', "receivers names in/${env:X}"),
    ("  batch:\n    send_batch_size: 1000", "  batch: ${file:b.yaml}", "processors.batch comes"),
    ("[health_check]", "${env:EXTENSIONS}", "service.extensions comes from ${env:EXTENSIONS}"),
    ("telemetry: {logs: {level: info}}", "telemetry: ${file:t}", "service.telemetry comes from"),
    (GOOD[GOOD.index("service:") :], "service: ${file:service.yaml}\n", "service comes from"),
    (
        GOOD[GOOD.index("  pipelines:") :],
        "  pipelines: ${file:p}\n",
        "service.pipelines comes from",
    ),
    (
        GOOD[GOOD.index("    traces:") :],
        "    traces: ${file:t}\n",
        "service.pipelines.traces comes",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), PROVIDED, ids=[words for *_, words in PROVIDED])
def test_what_only_the_agent_can_resolve_is_a_note(old: str, new: str, words: str) -> None:
    assert old in GOOD
    found = findings(GOOD.replace(old, new, 1))
    assert {f.level for f in found} == {Severity.NOTE}
    assert any(words in f.message for f in found)


MAYBE = [
    ("      receivers: [otlp]", "      receivers: [otlp, otlp]", "is named twice in receivers"),
    ("    traces:", "    profiles:", "runs only where service.profilesSupport is on"),
    ("    traces:", "    traces/a b:", "has a blank or a symbol in its name"),
    ("exporters: [debug]", "exporters: [$X]", "$X is not resolved by newer collectors"),
    ("{level: info}", "{level: info}, metrics: {readers: []}", "replace the one that a supervisor"),
    ("{level: info}", "{level: info}, metrics: {level: none}", "level none ends the metrics"),
]


@pytest.mark.parametrize(("old", "new", "words"), MAYBE, ids=[words for *_, words in MAYBE])
def test_what_only_some_collectors_refuse_is_a_warning(old: str, new: str, words: str) -> None:
    assert old in GOOD
    found = findings(GOOD.replace(old, new, 1))
    assert {f.level for f in found} <= {Severity.WARNING, Severity.NOTE}
    assert any(words in f.message for f in found if f.level is Severity.WARNING)


def test_blanks_in_an_id_are_no_difference() -> None:
    assert findings(GOOD.replace("otlp/backend:", "otlp / backend:")) == []
    both = GOOD.replace("  debug:\n", "  otlp / backend:\n  debug:\n")
    assert any("is defined twice" in f.message for f in findings(both))


def test_a_config_of_a_megabyte_gets_an_answer_that_can_be_read() -> None:
    names = [f"batch/{n}" for n in range(9_400)]
    lines = "".join(f"  {name}:\n" for name in names)
    found = check_config(load(GOOD.replace("  batch:\n", f"{lines}  batch:\n")))
    unused = [f for f in found if f.check is Check.UNUSED]
    assert len(unused) == 6
    assert sum(f.count for f in unused) == 9_400
    assert unused[0].message == "processor batch/0 is defined but not used."
    assert unused[-1].message == "... and 9,395 more like these, down to line 9,403."
    assert len(found) < 20


def test_many_errors_with_long_names_stay_short_too() -> None:
    used = ", ".join(f"x/{n}{'y' * 500}" for n in range(1_000))
    found = check_config(load(GOOD.replace("receivers: [otlp]", f"receivers: [{used}]")))
    assert len(str([f.to_dict() for f in found])) < 10_000


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


def test_a_message_kept_before_it_was_a_text_is_shown_as_it_is() -> None:
    before = {"check": "service", "level": "error", "line": 3, "message": "service is odd."}
    assert worded(before) == before
    kept = json.loads(json.dumps(check_config(load("a: 1\n"))[0].to_dict()))
    assert kept["message"] == {"text": "config.no_collector"}
    assert worded(kept)["message"].startswith("This is not a collector configuration")
