from __future__ import annotations

import pytest

from console.lib.problems import Invalid
from rollouts.documents import DocumentKind, File, read_files

PLAN = "phases:\n  - {weight: 100%, duration: 1m}\n"
CONFIG = b"# edge\r\nreceivers:\r\n  otlp:\r\n"


def file(text: str | bytes, path: str = "dir/some.yaml") -> File:
    return File.at(path, text if isinstance(text, bytes) else text.encode())


def test_a_collector_file_is_a_config_named_after_the_file() -> None:
    (config,) = read_files([file(CONFIG, "configs/edge-gateway.yaml")])
    assert (config.kind, config.name, config.body) == (DocumentKind.CONFIG, "edge-gateway", CONFIG)


def test_one_file_may_hold_several_documents() -> None:
    text = (
        "# ours\nselectors:\n  - {name: eu, labels: {region: eu-west}}\n"
        "  - {name: big, selector: '@eu,tier=gold'}\n"
        f"---\n# my plan\nname: mine\n{PLAN}---\n---\n"
        "config:\n  name: edge\n  message: more\n  body: |\n    receivers:\n      otlp:\n"
    )
    found = {(one.kind.value, one.name): one.text for one in read_files([file(text)])}
    assert found == {
        ("selector", "eu"): "region=eu-west",
        ("selector", "big"): "tier=gold,@eu",
        ("plan", "mine"): f"# my plan\nname: mine\n{PLAN}",
        ("config", "edge"): "receivers:\n  otlp:\n",
    }


def test_a_plan_without_a_name_takes_that_of_the_file() -> None:
    (plan,) = read_files([file(PLAN, "careful.yaml")])
    assert (plan.kind, plan.name, plan.text) == (DocumentKind.PLAN, "careful", PLAN)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "dir/some.yaml", "The config is empty"),
        ("bogus: 1\n", "dir/some.yaml:1", "the kind of this document is not known"),
        ("- 1\n", "dir/some.yaml:1", "is not a mapping"),
        (f"{PLAN}---\nreceivers:\n", "dir/some.yaml:4", "stands alone in its file"),
        (f"x: &x 1\n---\n{PLAN}---\n{PLAN}", "dir/some.yaml", "plan some is given twice"),
        (f"{PLAN}---\nphases:\n  - weight: 10\n", "dir/some.yaml:5", "write 10%"),
        ("selectors:\n  - {name: a, labels: {}}\n", "dir/some.yaml:2", "such as {env: prod}"),
        ("selectors:\n  - {name: a}\n", "dir/some.yaml:2", "write all: true"),
        ("selectors:\n  - {labels: {a: b}}\n", "dir/some.yaml:2", "name is missing"),
        ("selectors:\n  - {name: a, labls: {}}\n", "dir/some.yaml:2", "did you mean labels?"),
        ("selectors:\n  - {name: a, selector: 'a b'}\n", "dir/some.yaml:2", "Expected a comma"),
        ("selectors:\n  - {name: a, selector: a, exists: b}\n", "dir/some.yaml:2", "one or the"),
        ("config: {name: a}\n", "dir/some.yaml:1", "body is missing"),
        ("config:\n  name: a\n  body: '{}'\n", "dir/some.yaml:3", "in the body: The config is emp"),
        ("receivers: [\n", "dir/some.yaml:1", "did not find expected"),
        ("receivers:  otlp:    endpoint: x", "dir/some.yaml", "curl --data-binary @file"),
    ],
)
def test_a_wrong_file_is_pointed_at(text: str, place: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_files([file(text)])
    assert (place, True) in {(e.path, words in e.message) for e in caught.value.errors}


def test_the_mistakes_of_all_files_are_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        read_files([file("bogus: 1", "a.yaml"), file("a: [", "b.yaml"), file(PLAN, "c.yaml")])
    assert {error.path for error in caught.value.errors} == {"a.yaml:1", "b.yaml:1"}


def test_a_config_without_a_file_needs_a_name() -> None:
    with pytest.raises(Invalid, match="this config has no name"):
        read_files([File("body", CONFIG)])
