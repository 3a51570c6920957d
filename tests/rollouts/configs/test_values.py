from __future__ import annotations

import pytest

from console.lib.yaml import load
from rollouts.configs.checks import check_config
from rollouts.configs.findings import Check, ConfigFinding, Severity

CONFIG = """\
receivers: {{otlp: }}
exporters: {{debug: {{{debug}}}, otlphttp/eu: {{{http}}}}}
service:
  telemetry: {{{telemetry}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [debug, otlphttp/eu]}}}}
"""


def found(debug: str = "", http: str = "", telemetry: str = "") -> list[ConfigFinding]:
    document = load(CONFIG.format(debug=debug, http=http, telemetry=telemetry))
    return [one for one in check_config(document) if one.check is Check.VALUES]


@pytest.mark.parametrize(
    ("where", "written", "line", "says"),
    [
        ("debug", "verbosity: loud", 2, 'exporters.debug.verbosity is "loud"; a collector knows'),
        ("debug", "verbosity: detialed", 2, "did you mean detailed?"),
        ("debug", "verbosity: 3", 2, "exporters.debug.verbosity is 3"),
        ("debug", "verbosity: none", 2, "basic, normal, detailed"),
        ("http", "compression: brotli", 2, "exporters.otlphttp/eu.compression"),
        ("telemetry", "logs: {level: verbose}", 4, "service.telemetry.logs.level"),
        ("telemetry", "metrics: {level: high}", 4, "none, basic, normal, detailed"),
    ],
)
def test_a_value_that_no_collector_knows_is_a_warning(
    where: str, written: str, line: int, says: str
) -> None:
    (finding,) = found(**{where: written})
    assert (finding.level, finding.line, finding.is_final) == (Severity.WARNING, line, False)
    assert says in finding.message


@pytest.mark.parametrize(
    ("where", "written"),
    [
        ("debug", "verbosity: detailed"),
        ("debug", "verbosity: Normal"),
        ("debug", 'verbosity: "${env:V}"'),
        ("debug", "sampling_initial: 5"),
        ("http", "compression: none"),
        ("telemetry", "logs: {level: WARN}"),
        ("telemetry", "logs: info"),
        ("telemetry", "metrics: {level: none}"),
    ],
)
def test_what_is_known_or_cannot_be_known_is_fine(where: str, written: str) -> None:
    assert [one.level for one in found(**{where: written})] == [Severity.OK]
