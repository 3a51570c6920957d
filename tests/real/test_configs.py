"""The checks of configs against what a real collector says of the same texts (`validate`).

What the checks call an error must be refused by it, what they call fine, a note or a matter of the
version must not be, apart from the named settings that this very version refuses.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agents.opamp.containment import contains
from agents.opamp.redact import Redactor
from console.lib.yaml import load
from rollouts.configs.checks import check_config
from rollouts.configs.findings import Severity
from tests.clients.build import Binaries

pytestmark = pytest.mark.real

GOOD = """\
receivers:
  otlp:
    protocols: {http: {endpoint: "127.0.0.1:0"}}
processors:
  batch: {timeout: 60s}
exporters:
  debug: {verbosity: detailed}
  otlphttp: {endpoint: "https://user:pw@127.0.0.1:1", headers: {authorization: "Bearer abc"}}
extensions:
  health_check: {endpoint: "127.0.0.1:0"}
connectors:
  forward:
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug, otlphttp, forward]
    traces/two:
      receivers: [forward]
      exporters: [debug]
"""
EXTENSIONS = GOOD[GOOD.index("extensions:") : GOOD.index("connectors:")]
PIPELINES = GOOD[GOOD.index("  pipelines:") :]
SERVICE = GOOD[GOOD.index("service:") :]
TRACES = GOOD[GOOD.index("    traces:") : GOOD.index("    traces/two:")]

ERRORS = {
    "nothing in it": (GOOD, "receivers:\nservice:\n"),
    "no service": (SERVICE, ""),
    "no pipelines": (PIPELINES, ""),
    "null pipelines": (PIPELINES, "  pipelines:\n"),
    "empty pipelines": (PIPELINES, "  pipelines: {}\n"),
    "pipelines as a list": (PIPELINES, "  pipelines: [traces]\n"),
    "null pipeline": (TRACES, "    traces:\n"),
    "pipeline as a list": (TRACES, "    traces: []\n"),
    "pipeline without receivers": ("      receivers: [otlp]\n", ""),
    "pipeline with no receivers": ("receivers: [otlp]", "receivers: []"),
    "pipeline with null receivers": ("receivers: [otlp]", "receivers:"),
    "pipeline without exporters": ("      exporters: [debug]\n", ""),
    "receivers as text": ("receivers: [otlp]", "receivers: otlp"),
    "receivers as a mapping": ("receivers: [otlp]", "receivers: {'0': otlp}"),
    "a null name": ("receivers: [otlp]", "receivers: [otlp, null]"),
    "a number as name": ("receivers: [otlp]", "receivers: [1]"),
    "a mapping as name": ("receivers: [otlp]", "receivers: [{otlp: }]"),
    "undefined receiver": ("receivers: [otlp]", "receivers: [nop]"),
    "undefined processor": ("processors: [batch]", "processors: [memory_limiter]"),
    "undefined exporter": ("exporters: [debug]", "exporters: [nop]"),
    "undefined extension": ("[health_check]", "[opamp]"),
    "exporter as receiver": ("receivers: [otlp]", "receivers: [otlp, debug]"),
    "a processor twice": ("processors: [batch]", "processors: [batch, batch]"),
    "connector with one end": ("otlphttp, forward]", "otlphttp]"),
    "connector with the other end": ("receivers: [forward]", "receivers: [otlp]"),
    "no receivers": (GOOD[: GOOD.index("processors:")], "receivers: {}\n"),
    "unknown section": ("processors:\n", "procesors: {a: }\nprocessors:\n"),
    "own section": ("processors:\n", "x-common: {a: 1}\nprocessors:\n"),
    "unknown key of service": ("  pipelines:", "  telemtry: {}\n  pipelines:"),
    "unknown role": ("      receivers: [otlp]", "      foo: [otlp]\n      receivers: [otlp]"),
    "unknown signal": ("    traces:", "    trace:"),
    "signal in capitals": ("    traces:", "    Traces:"),
    "signal without name": ("    traces:", "    traces/:"),
    "extensions as text": ("[health_check]", "health_check"),
    "telemetry as a list": ("  pipelines:", "  telemetry: []\n  pipelines:"),
    "a section as a list": (
        GOOD[GOOD.index("processors:") : GOOD.index("exporters:")],
        "processors: []\n",
    ),
    "a section as false": (
        GOOD[GOOD.index("processors:") : GOOD.index("exporters:")],
        "processors: false\n",
    ),
    "service as a list": (SERVICE, "service: []\n"),
    "settings as a number": ("batch: {timeout: 60s}", "batch: 5"),
    "settings as a list": ("batch: {timeout: 60s}", "batch: []"),
    "settings as empty text": ("batch: {timeout: 60s}", "batch: ''"),
    "a bad type": ("  batch:", "  ba-tch: {}\n  batch:"),
    "an empty name": ("  batch:", "  batch/: {}\n  batch:"),
    "one id twice": ("  batch:", "  batch/a: {}\n  batch / a: {}\n  batch:"),
    "a reference as a key": ("  batch:", "  ${env:BATCH}: {}\n  batch:"),
}
FINE = {
    "as it is": ("", ""),
    "empty section": (GOOD, GOOD.replace(EXTENSIONS, "extensions: {}\n").replace("health_check", "")),
    "no extensions": ("  extensions: [health_check]\n", "  extensions:\n"),
    "an extension twice": ("[health_check]", "[health_check, health_check]"),
    "null telemetry": ("  pipelines:", "  telemetry:\n  pipelines:"),
    "a receiver twice": ("receivers: [otlp]", "receivers: [otlp, otlp]"),
    "an exporter twice": ("exporters: [debug]", "exporters: [debug, debug]"),
    "blanks in an id": ("processors: [batch]", "processors: ['batch ']"),
    "two slashes": ("  batch:", "  batch/a/b: {}\n  batch:"),
    "metrics level none": ("  pipelines:", "  telemetry: {metrics: {level: none}}\n  pipelines:"),
    "receivers from a file": (GOOD[: GOOD.index("processors:")], "receivers: ${file:RECEIVERS}\n"),
    "settings from a file": ("batch: {timeout: 60s}", "batch: ${file:EMPTY}"),
    "settings from nothing": ("batch: {timeout: 60s}", "batch: ${env:UNSET}"),
    "exporters from a name": ("exporters: [debug]", 'exporters: ["${env:DEBUG}"]'),
    "part of a name": ("exporters: [debug]", 'exporters: ["de${env:BUG}"]'),
    "exporters from a list": ("exporters: [debug]", "exporters: ${env:LIST}"),
    "extensions from a list": ("[health_check]", "${env:EXTENSIONS}"),
    "an extension from a name": ("[health_check]", '["${env:EXTENSION}"]'),
    "service from a file": (SERVICE, "service: ${file:SERVICE}\n"),
    "pipelines from a file": (PIPELINES, "  pipelines: ${file:PIPELINES}\n"),
    "a pipeline from a file": (TRACES, "    traces: ${file:PIPELINE}\n"),
    "telemetry from a file": ("  pipelines:", "  telemetry: ${file:TELEMETRY}\n  pipelines:"),
    "merged keys": ("  batch:", "  <<: {batch/x: }\n  batch:"),
}  # fmt: skip
# Refused by this version, but not by all: warnings.
THIS_VERSION = {
    "profiles": ("    traces/two:", "    profiles:"),
    "a blank in the name of a pipeline": ("    traces/two:", "    traces/a b:"),
    "a blank in a name": ("  batch:", "  batch/a b: {}\n  batch:"),
    "a bare variable": ("exporters: [debug]", "exporters: [$DEBUG]"),
    "no readers": ("  pipelines:", "  telemetry: {metrics: {readers: []}}\n  pipelines:"),
}
PIPELINE = "{receivers: [otlp], processors: [batch], exporters: [debug, otlphttp, forward]}"
TWO = "traces/two: {receivers: [forward], exporters: [debug]}"
FILES = {
    "RECEIVERS": 'otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}\n',
    "EMPTY": "{}\n",
    "SERVICE": f"pipelines: {{traces: {PIPELINE}, {TWO}}}\n",
    "PIPELINES": f"{{traces: {PIPELINE}, {TWO}}}\n",
    "PIPELINE": f"{PIPELINE}\n",
    "TELEMETRY": "{logs: {level: info}}\n",
}
VARIABLES = {
    "DEBUG": "debug",
    "BUG": "bug",
    "LIST": "[debug]",
    "BATCH": "batch",
    "EXTENSION": "health_check",
    "EXTENSIONS": "[health_check]",
}


class Validator:
    """A real collector that is asked what it says of a text."""

    def __init__(self, built: Binaries, directory: Path) -> None:
        self._collector, self._directory = built.collector, directory
        for name, text in FILES.items():
            (directory / name).write_text(text)

    def run(self, act: str, *texts: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._collector), act]
        for number, text in enumerate(texts):
            path = self._directory / f"{number}.yaml"
            path.write_text(text.replace("${file:", f"${{file:{self._directory}/"))
            command += ["--config", str(path)]
        return subprocess.run(
            command,
            env={**os.environ, **VARIABLES},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def refusal(self, *texts: str) -> str:
        """Return why the texts, one over the other, are refused; "" when they are not."""
        done = self.run("validate", *texts)
        return (done.stderr or "refused") if done.returncode else ""


@pytest.fixture
def validator(built: Binaries, tmp_path: Path) -> Validator:
    return Validator(built, tmp_path)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def levels(text: str) -> set[Severity]:
    return {finding.level for finding in check_config(load(text))}


@pytest.mark.parametrize("name", ERRORS)
def test_a_collector_refuses_what_we_call_an_error(name: str, validator: Validator) -> None:
    text = changed(*ERRORS[name])
    assert Severity.ERROR in levels(text)
    assert validator.refusal(text)


@pytest.mark.parametrize("name", FINE)
def test_a_collector_takes_what_we_call_no_error(name: str, validator: Validator) -> None:
    text = changed(*FINE[name])
    assert Severity.ERROR not in levels(text)
    assert validator.refusal(text) == ""


@pytest.mark.parametrize("name", THIS_VERSION)
def test_what_only_some_versions_refuse_is_a_warning(name: str, validator: Validator) -> None:
    text = changed(*THIS_VERSION[name])
    assert levels(text) & {Severity.ERROR, Severity.WARNING} == {Severity.WARNING}
    assert validator.refusal(text)


@pytest.mark.parametrize("section", ["processors", "extensions", "connectors", "receivers"])
def test_an_empty_section_spoils_every_config_under_it(section: str, validator: Validator) -> None:
    """A supervisor checks a new config below the one that runs (interop: it never recovers)."""
    least = """\
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters: {debug: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
"""
    empty = f"{section}:\n" + "".join(
        line for line in least.splitlines(keepends=True) if not line.startswith(section)
    )
    assert validator.refusal(GOOD) == ""
    assert validator.refusal(GOOD, empty)
    found = [one for one in check_config(load(empty)) if one.is_final]
    assert any(f"{section} is empty" in one.message for one in found)


def test_the_effective_config_of_a_collector_contains_what_it_was_sent(
    validator: Validator,
) -> None:
    shown = validator.run("print-config", GOOD).stdout
    assert "60s" not in shown
    assert contains(GOOD, shown)
    key = b"k" * 32
    assert contains(Redactor(key).redact(GOOD), Redactor(key).redact(shown))
    for old, new in [("60s", "61s"), ("[debug, otlphttp", "[debug"), ("detailed", "basic")]:
        assert not contains(changed(old, new), shown)
