from __future__ import annotations

import pytest

from console.lib.texts import Text, to_column
from rollouts.errors.groups import MAX_GROUPS, Example, HeldBy, Said, group
from rollouts.errors.mentions import component_of
from rollouts.errors.wording import shape_of

DEBUG = "'exporters' error reading configuration for \"debug\": 'verbosity' unknown level \"loud\""


def said(
    text: str, agents: int = 1, version: str = "1", region: str = "eu", kind: str = "failed"
) -> Said:
    return Said(kind, text, version, region, agents, (Example("u", f"gw-{text[:3]}"),))


SAME = [
    ("listen tcp 10.0.0.1:4317: bind: in use", "listen tcp 10.250.3.9:4318: bind: in use"),
    ("listen tcp [::1]:4317: in use", "listen tcp [fe80::1%eth0]:4317: in use"),
    ("exit code 1 after 12ms", "exit code 137 after 9812ms"),
    ("lookup gw-1.eu.example.net on 10.0.0.2:53: no such host", "lookup gw-77.us.example.org on 10.1.0.2:53: no such host"),
    ("dial tcp eu.example.net:4317: refused", "dial tcp us-2.example.net:4317: refused"),
    ("get https://a.example/v1: 503", "get https://user:pw@b.example:8443/v1: 502"),
    ("trace 4bf92f3577b34da6a3ce929d0e0e4736 lost", "trace 00f067aa0ba902b7a3ce929d0e0e4736 lost"),
    ("run 0193e5a0-7f8e-7cc0-8000-0123456789ab", "run 0193e5a0-7f8e-7cc0-8000-ba9876543210"),
    ("2026-11-29T23:01:02.123Z failed", "2026-11-30 01:02:03,4+01:00 failed"),
    ("a  b\n\n c", "a b c"),
    ("\x1b[31merror\x1b[0m", "error"),
]  # fmt: skip
OTHER = [
    ("unknown level \"loud\"", "unknown level \"shout\""),
    ("exporter otlp/eu: refused", "exporter otlp/us: refused"),
    ("'timeout' bad", "'verbosity' bad"),
    ("'sending_queue.queue_size' bad", "'sending_queue.enabled' bad"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_differs_from_agent_to_agent_is_left_out(one: str, other: str) -> None:
    assert shape_of(one) == shape_of(other)
    assert group([said(one), said(other)]).groups[0].agents == 2


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_fault_is_another_group(one: str, other: str) -> None:
    assert len(group([said(one), said(other)]).groups) == 2


def test_two_components_are_two_faults_though_their_names_are_numbers() -> None:
    found = group([said("exporter otlp/1: refused"), said("exporter otlp/2: refused")])
    assert sorted(one.component for one in found.groups) == ["exporter otlp/1", "exporter otlp/2"]


def test_counts_are_by_version_and_region_the_largest_first() -> None:
    rows = [said("no", 2, "0.148", "eu"), said("no", 7, "0.146", "us"), said("no", 1, "0.146", "")]
    [one] = group(rows).groups
    assert one.agents == 10
    assert one.versions == (HeldBy("0.146", 8), HeldBy("0.148", 2))
    assert one.regions == (HeldBy("us", 7), HeldBy("eu", 2), HeldBy("", 1))


def test_the_wording_of_most_is_shown() -> None:
    [one] = group([said("code 1", 2), said("code 2", 5)]).groups
    assert (one.text, one.wordings, one.agents) == ("code 2", 2, 7)


@pytest.mark.parametrize("nothing", ["", "  \n ", to_column(Text("target.no_reason"))])
def test_a_refusal_without_a_word_gave_no_reason(nothing: str) -> None:
    [one] = group([said(nothing), said("")]).groups
    assert one.is_silent
    assert one.text == Text("target.no_reason")
    assert one.agents == 2


def test_each_way_to_fail_is_apart() -> None:
    found = group(
        [said("no", kind="failed"), said("no", kind="lost"), said("no", kind="unhealthy")]
    )
    assert {one.kind for one in found.groups} == {"failed", "lost", "unhealthy"}


def test_what_is_not_shown_is_counted() -> None:
    rows = [said(f"fault {'x' * n} end", 2) for n in range(MAX_GROUPS + 3)]
    found = group(rows, agents=100)
    assert len(found.groups) == MAX_GROUPS
    assert (found.agents, found.more) == (100, 100 - 2 * MAX_GROUPS)


@pytest.mark.parametrize(
    ("text", "component"),
    [
        (DEBUG, "exporter debug"),
        ("exporter otlp/eu: refused", "exporter otlp/eu"),
        ("receiver:otlp: in use", "receiver otlp"),
        ("failed to start \"otlp\" receiver: in use", "receiver otlp"),
        ("service::pipelines::traces: references processor \"batch\" which is not configured", "processor batch"),
        ("exporters::otlp: requires an endpoint", "exporter otlp"),
        ("'receivers' unknown type: \"x\" for id: \"x/1\" (valid values: [])", "receiver x/1"),
        ("the exporter is not ready", ""),
        ("yaml: line 3", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_text_names_its_component(text: str, component: str) -> None:
    assert component_of(text) == component


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "1.2." * 50_000, "::" * 50_000, "a-" * 50_000, "\udcff" * 9]
)
def test_a_hostile_text_has_a_shape(text: str) -> None:
    assert len(shape_of(text)) <= 20_000
