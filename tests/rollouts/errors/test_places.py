"""What collectors really say, and the line of the config that each text names."""

from __future__ import annotations

import pytest

from rollouts.errors.places import Place, PlaceChange, places, source_of

OLD = b"""\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
  filelog/app:
    include: [/var/log/app/*.log]
processors:
  batch:
    timeout: 5s
  memory_limiter:
    check_interval: 1s
    limit_mib: 400
  transform/mask:
    trace_statements:
      - context: span
        statements:
          - set(attributes["a"], "b")
exporters:
  debug:
    verbosity: basic
  otlp/eu:
    endpoint: eu.example.net:4317
    tls:
      ca_file: /etc/ssl/eu.pem
    sending_queue:
      queue_size: 1000
  otlphttp/us:
    endpoint: https://us.example.net:4318
extensions:
  health_check:
    endpoint: ${env:HEALTH_ADDRESS}
service:
  extensions: [health_check]
  telemetry:
    metrics:
      level: normal
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp/eu]
    logs/app:
      receivers:
        - filelog/app
      exporters:
        - debug
"""


def changed(*pairs: tuple[str, str]) -> bytes:
    text = OLD.decode()
    for before, after in pairs:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text.encode()


LOUD = changed(("verbosity: basic", "verbosity: loud"))


def named(text: str, new: bytes = OLD, old: bytes | None = OLD) -> list[tuple[str, str, str]]:
    """Return (source line, change, source line before) of each place."""
    found = places(text, source_of(new), source_of(old) if old is not None else None)
    return [(p.line.text, p.change.value, p.was.text if p.was else "") for p in found]


CHAIN = "failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n"
INNER = "decoding failed due to the following error(s):\n\n"

SAID: dict[str, tuple[str, bytes, list[tuple[str, str, str]]]] = {
    "a value that is no word of an enumeration": (
        CHAIN
        + f"'exporters' error reading configuration for \"debug\": {INNER}"
        + "'verbosity' unknown metrics level \"loud\"",
        LOUD,
        [("verbosity: loud", "changed", "verbosity: basic")],
    ),
    "the same on one line, as supervisors pass it on": (
        "Config validation failed: exit status 1: Error: failed to get config: cannot unmarshal the "
        "configuration: decoding failed due to the following error(s): 'exporters' error reading "
        'configuration for "debug": decoding failed due to the following error(s): '
        "'verbosity' unknown metrics level \"loud\"",
        LOUD,
        [("verbosity: loud", "changed", "verbosity: basic")],
    ),
    "the same in the words of 0.90": (
        "failed to get config: cannot unmarshal the configuration: 1 error(s) decoding:\n\n"
        "* error decoding 'exporters': error reading configuration for \"debug\": 1 error(s) decoding:\n\n"
        "* error decoding 'verbosity': unknown Level \"loud\"",
        LOUD,
        [("verbosity: loud", "changed", "verbosity: basic")],
    ),
    "the same said in one breath, without a chain": (
        "'exporters' error reading configuration for \"debug\": unknown verbosity \"loud\"",
        LOUD,
        [("verbosity: loud", "changed", "verbosity: basic")],
    ),
    "an unknown component": (
        CHAIN + "'processors' unknown type: \"shaper\" for id: \"shaper/slow\" (valid values: [batch filter])",
        changed(("  memory_limiter:\n    check", "  shaper/slow:\n  memory_limiter:\n    check")),
        [("shaper/slow:", "new", "")],
    ),
    "an unknown component in the words of 0.80": (
        'unknown processors type "shaper" for "shaper/slow" (valid values: [batch])',
        changed(("  memory_limiter:\n    check", "  shaper/slow:\n  memory_limiter:\n    check")),
        [("shaper/slow:", "new", "")],
    ),
    "a key that is not known": (
        CHAIN + f"'exporters' error reading configuration for \"otlp/eu\": {INNER}'' has invalid keys: endpont",
        changed(("endpoint: eu.example.net:4317", "endpont: eu.example.net:4317")),
        [("endpont: eu.example.net:4317", "new", "")],
    ),
    "several keys that are not known, deeper": (
        CHAIN + f"'exporters' error reading configuration for \"otlp/eu\": {INNER}'sending_queue' has invalid keys: size, kind",
        changed(("queue_size: 1000", "size: 1\n      kind: x")),
        [("size: 1", "new", ""), ("kind: x", "new", "")],
    ),
    "a section that is none": (
        CHAIN + "'' has invalid keys: processor",
        changed(("processors:\n  batch:", "processor: {}\nprocessors:\n  batch:")),
        [("processor: {}", "new", "")],
    ),
    "a wrong type, by the path below the component": (
        CHAIN + f"'exporters' error reading configuration for \"otlp/eu\": {INNER}"
        "'sending_queue.queue_size' expected type 'int64', got unconvertible type 'string', value: 'many'",
        changed(("queue_size: 1000", "queue_size: many")),
        [("queue_size: many", "changed", "queue_size: 1000")],
    ),
    "a number that is none, in the words of 0.80": (
        "error decoding 'exporters': error reading configuration for \"otlp/eu\": 1 error(s) decoding:\n\n"
        "* cannot parse 'sending_queue.queue_size' as int: strconv.ParseInt: parsing \"many\": invalid syntax",
        changed(("queue_size: 1000", "queue_size: many")),
        [("queue_size: many", "changed", "queue_size: 1000")],
    ),
    "a bad duration": (
        CHAIN + f"'processors' error reading configuration for \"batch\": {INNER}"
        "'timeout' time: missing unit in duration \"5\"",
        changed(("timeout: 5s", "timeout: 5")),
        [("timeout: 5", "changed", "timeout: 5s")],
    ),
    "an item of a list": (
        CHAIN + f"'receivers' error reading configuration for \"filelog/app\": {INNER}"
        "'include[0]' expected type 'string', got unconvertible type 'map[string]interface {}'",
        changed(("include: [/var/log/app/*.log]", "include:\n      - {a: b}")),
        [("- {a: b}", "changed", "include: [/var/log/app/*.log]")],
    ),
    "two faults in two components": (
        CHAIN + f"'exporters' error reading configuration for \"debug\": {INNER}'verbosity' unknown level\n"
        f"'processors' error reading configuration for \"batch\": {INNER}'timeout' time: unknown unit",
        changed(("verbosity: basic", "verbosity: loud"), ("timeout: 5s", "timeout: 5x")),
        [
            ("verbosity: loud", "changed", "verbosity: basic"),
            ("timeout: 5x", "changed", "timeout: 5s"),
        ],
    ),
    "a pipeline names what is not there": (
        'invalid configuration: service::pipelines::traces: references exporter "otlp/us" which is not configured',
        changed(("exporters: [otlp/eu]", "exporters: [otlp/us]")),
        [("exporters: [otlp/us]", "changed", "exporters: [otlp/eu]")],
    ),
    "a pipeline of several lines names what is not there": (
        'service::pipelines::logs/app: references receiver "filelog/ap" which is not configured',
        changed(("        - filelog/app", "        - filelog/ap")),
        [("- filelog/ap", "changed", "- filelog/app")],
    ),
    "an extension that is not there": (
        'invalid configuration: service::extensions: references extension "zpages" which is not configured',
        changed(("extensions: [health_check]", "extensions: [health_check, zpages]")),
        [("extensions: [health_check, zpages]", "new", "")],
    ),
    "a check of a component that misses a key": (
        'invalid configuration: exporters::otlp/eu: requires a non-empty "endpoint"',
        changed(("    endpoint: eu.example.net:4317\n", "")),
        [("otlp/eu:", "removed", "endpoint: eu.example.net:4317")],
    ),
    "a check of a value": (
        "processors::memory_limiter: 'check_interval' must be greater than zero",
        changed(("check_interval: 1s", "check_interval: 0s")),
        [("check_interval: 0s", "changed", "check_interval: 1s")],
    ),
    "a pipeline without exporters": (
        "service::pipelines::traces: must have at least one exporter",
        changed(("exporters: [otlp/eu]", "exporters: []")),
        [("traces:", "changed", "traces:")],
    ),
    "checks of two components, a line each": (
        "invalid configuration: processors::batch: send_batch_max_size must be greater\n"
        'exporters::otlp/eu: requires a non-empty "endpoint"',
        changed(("timeout: 5s", "timeout: 1s"), ("    endpoint: eu.example.net:4317\n", "")),
        [("batch:", "changed", "batch:"), ("otlp/eu:", "removed", "endpoint: eu.example.net:4317")],
    ),
    "a path of the service's telemetry": (
        "service::telemetry::metrics::level: unknown level",
        changed(("level: normal", "level: everything")),
        [("level: everything", "changed", "level: normal")],
    ),
    "a receiver that cannot start": (
        'cannot start pipelines: failed to start "otlp" receiver: listen tcp 0.0.0.0:4317: bind: address already in use',
        OLD,
        [("endpoint: 0.0.0.0:4317", "same", "endpoint: 0.0.0.0:4317")],
    ),
    "a port that is taken, without a name": (
        "cannot start pipelines: listen tcp 0.0.0.0:4317: bind: address already in use",
        OLD,
        [("endpoint: 0.0.0.0:4317", "same", "endpoint: 0.0.0.0:4317")],
    ),
    "an exporter that cannot be made": (
        'failed to build pipelines: failed to create "otlp/eu" exporter for data type "traces": '
        "failed to load TLS config: failed to load CA CertPool File: open /etc/ssl/new.pem: no such file or directory",
        changed(("/etc/ssl/eu.pem", "/etc/ssl/new.pem")),
        [("ca_file: /etc/ssl/new.pem", "changed", "ca_file: /etc/ssl/eu.pem")],
    ),
    "a component that is unhealthy": (
        "exporter otlp/eu: rpc error: code = Unavailable desc = connection refused",
        OLD,
        [("otlp/eu:", "same", "otlp/eu:")],
    ),
    "a component under the name that its build has for it": (
        "exporter:otlp_http/us: 503 Service Unavailable",
        OLD,
        [("otlphttp/us:", "same", "otlphttp/us:")],
    ),
    "an environment variable": (
        'cannot resolve the configuration: environment variable "HEALTH_ADDRESS" has invalid name',
        OLD,
        [("endpoint: ${env:HEALTH_ADDRESS}", "same", "endpoint: ${env:HEALTH_ADDRESS}")],
    ),
    "a statement of a transformation": (
        'processors::transform/mask: unable to parse OTTL statement `set(attribute["a"], "b")`: undefined',
        changed(('set(attributes["a"], "b")', 'set(attribute["a"], "b")')),
        [('- set(attribute["a"], "b")', "changed", '- set(attributes["a"], "b")')],
    ),
    "a line of the YAML parser": (
        "yaml: line 21: mapping values are not allowed in this context",
        LOUD,
        [("verbosity: loud", "new", "")],
    ),
    "a line and a column": (
        "collector.yaml:10:5: bad duration",
        OLD,
        [("timeout: 5s", "same", "timeout: 5s")],
    ),
    "a pointer into the document": (
        "/exporters/otlp/eu/sending_queue/queue_size: must be at least 1",
        changed(("queue_size: 1000", "queue_size: 0")),
        [("queue_size: 0", "changed", "queue_size: 1000")],
    ),
    "a path with dots": (
        "invalid value at exporters.debug.verbosity: loud",
        LOUD,
        [("verbosity: loud", "changed", "verbosity: basic")],
    ),
    "nothing that stands in the config": ("Agent exited unexpectedly with exit code 1", OLD, []),
    "another agent's words": ("permission denied", OLD, []),
    "a component that is not there": ('exporters::zipkin: requires an "endpoint"', OLD, []),
    "a line that is not there": ("yaml: line 900: could not find expected ':'", OLD, []),
    "nothing": ("", OLD, []),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_a_text_names_its_line_and_what_stood_there_before(case: str) -> None:
    text, new, places = SAID[case]
    assert named(text, new) == places


def test_a_line_is_counted_from_one() -> None:
    [place] = places("exporters::debug::verbosity: no", source_of(LOUD), source_of(OLD))
    assert (place.line.number, place.was and place.was.number) == (21, 21)
    assert place.path == ("exporters", "debug", "verbosity")


def test_without_a_version_before_nothing_is_said_of_it() -> None:
    assert named("exporters::debug::verbosity: no", LOUD, None) == [
        ("verbosity: loud", "unknown", "")
    ]


def test_a_secret_is_not_shown() -> None:
    body = changed(("verbosity: basic", "password: hunter2hunter2"))
    [(line, *_)] = named("exporters::debug::password: is too short", body)
    assert "hunter2" not in line
    assert line.startswith("password: ")


@pytest.mark.parametrize(
    "text",
    [
        "'" * 100_000,
        "::" * 50_000,
        "a::" * 30_000,
        "a.b" * 30_000,
        "/a" * 50_000,
        "[" * 100_000,
        'references exporter "' * 5_000,
        "has invalid keys: " + "a, " * 30_000,
        "\x00\ud800\u202e" * 9_000,
        "line 99999999999999999999",
        "exporters::debug::" + "x" * 100_000,
    ],
    ids=range(11),
)
def test_hostile_texts_are_only_texts(text: str) -> None:
    found = places(text, source_of(LOUD), source_of(OLD))
    assert len(found) <= 3
    assert all(isinstance(place, Place) for place in found)


@pytest.mark.parametrize(
    "body", [b"", b"[1, 2]", b"a: &a [*b]", b"\xff\xfe", b"x: " + b"y" * 600_000]
)
def test_any_bytes_are_a_source(body: bytes) -> None:
    assert places("exporters::debug: no; line 1", source_of(body), source_of(OLD)) in ((), *[
        (place,) for place in places("line 1", source_of(body), source_of(OLD))
    ])  # fmt: skip


def test_all_changes_are_known() -> None:
    seen = {change for _, _, expected in SAID.values() for _, change, _ in expected}
    assert seen | {"unknown"} == {change.value for change in PlaceChange}
