from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.selectors.grammar import (
    EVERYTHING,
    SelectorError,
    from_yaml,
    parse,
    parse_any,
    to_text,
    to_yaml,
)
from agents.selectors.tree import Selector
from console.lib.yaml import load
from tests.agents.selectors.strategies import SELECTORS

PAIRS = [
    ("env=prod", {"labels": {"env": "prod"}}),
    ("env==prod", {"labels": {"env": "prod"}}),
    ("tier in (gold,silver)", {"labels": {"tier": ["gold", "silver"]}}),
    ("tier notin (gold,silver)", {"labels": {"tier": {"notin": ["gold", "silver"]}}}),
    ("version>=1.4.0", {"labels": {"version": ">=1.4.0"}}),
    ("version!=1.4.0", {"labels": {"version": "!=1.4.0"}}),
    ("env!=prod", {"labels": {"env": "!=prod"}}),
    ("version>=1.0,version<2.0", {"labels": [{"version": ">=1.0"}, {"version": "<2.0"}]}),
    ("region~eu-*", {"labels": {"region": "~eu-*"}}),
    ("region!~eu-*", {"labels": {"region": "!~eu-*"}}),
    ("env,!legacy", {"exists": ["env"], "missing": ["legacy"]}),
    ("a=1 or b=2", {"labels": {"a": "1", "b": "2"}, "match": "any"}),
    ('env="a,b"', {"labels": {"env": "a,b"}}),
    ('env=">=1"', {"labels": {"env": "=>=1"}}),
    ("version in (>=2.0,~1.9.*)", {"labels": {"version": [">=2.0", "~1.9.*"]}}),
    (
        "has(transform_processor),has(ottl_version>=1.0),!has(accepts_remote_config)",
        {
            "capabilities": [
                "transform_processor",
                {"ottl_version": ">=1.0"},
                "!accepts_remote_config",
            ]
        },
    ),
    ("env=prod,@edge-eu,!@old", {"labels": {"env": "prod"}, "named": ["edge-eu", "!old"]}),
    ("name~us-east-*", {"labels": {"name": "~us-east-*"}}),
    ("status in (offline,drifted)", {"labels": {"status": ["offline", "drifted"]}}),
    ("config=gateway@v3", {"labels": {"config": "gateway@v3"}}),
    ("id!~0193*", {"labels": {"id": "!~0193*"}}),
    ("name,!config", {"exists": ["name"], "missing": ["config"]}),
    ("*", {"all": True}),
]


@pytest.mark.parametrize(("text", "data"), PAIRS, ids=[text for text, _ in PAIRS])
def test_both_forms_mean_the_same(text: str, data: dict[str, object]) -> None:
    assert parse(text) == from_yaml(data)
    assert to_yaml(parse(text)) == data


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" env = prod , version >= 2.0 ", "env=prod,version>=2.0"),
        ("env=prod and version>=2.0", "env=prod,version>=2.0"),
        ("region in (eu)", "region=eu"),
        ("env=prod,env=prod", "env=prod"),
        ("!legacy,env=prod", "env=prod,!legacy"),
        ("has(processor:transform)", "has(transform_processor)"),
        ("env=prod\n,x=1", "env=prod,x=1"),
    ],
)
def test_ways_of_writing_become_one_text(one: str, other: str) -> None:
    assert to_text(parse(one)) == other


@given(SELECTORS)
def test_text_survives_reading_and_writing(selector: Selector) -> None:
    assert parse(to_text(selector)) == selector


@given(SELECTORS)
def test_yaml_survives_reading_and_writing(selector: Selector) -> None:
    assert from_yaml(load(json.dumps(to_yaml(selector))).data) == selector


def test_everything_is_said_as_a_star() -> None:
    assert parse("*") == EVERYTHING == from_yaml({"all": True})


def test_either_form_is_accepted_where_both_are() -> None:
    assert parse_any("env=prod") == parse_any({"labels": {"env": "prod"}})


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "write * for every agent"),
        ("   ", 3, "write * for every agent"),
        ("env=prod region=a", 9, 'Expected a comma or "or" before "region"'),
        ("env=", 4, "A value is missing here"),
        ("env=prod,", 9, "A label is missing after the comma"),
        ("a=b,,c=d", 4, "A label is missing"),
        ("a=b,c=d or e=f", 8, "not a mixture"),
        ("version>=abc", 9, '"abc" is not a version; >= compares versions like 1.4.0'),
        ("region in a,b", 10, "in parentheses"),
        ("region in (a", 12, "Expected a comma or )"),
        ("a in (!=b)", 6, "write notin"),
        ("env=~x", 3, "=~ is not an operator here; write a pattern as name~eu-*"),
        ("has(transfrom)", 4, "neither a component nor an OpAMP capability"),
        ("has(accept_remote_config)", 4, "did you mean accepts_remote_config?"),
        ("has(a!=b)", 4, "Write !has(...)"),
        ("!env=prod", 1, "Write env!=..."),
        ("x='a'", 2, 'Quote with "'),
        ('x="a', 2, "This quote is not closed"),
        ('x="\\q"', 2, "Inside quotes write"),
        ("a||b", 1, "or the word or"),
        ("env=eu-*", 4, "For a pattern write ~eu-*"),
        ("*,a=b", 1, "remove it or the rest"),
        ("in=3", 0, 'quote it as "in"'),
        ("@", 0, "goes after @"),
        ('a="\\u0000"', 2, "not text"),
        ('a="\\ud800"', 2, "not text"),
        ("env=a,status=ofline", 6, "did you mean offline?"),
        ("status=x", 0, '"x" is not a status; known are quarantined, config_failed'),
        ("status=retired", 0, "is not a status"),
        ("name>=1.0", 0, "name has no order"),
        ("id=0193", 0, "not the id of an agent"),
        ("config=gateway@", 0, "write config=gateway or config=gateway@v3"),
        ("config in (a@b,c)", 0, '"a@b" is neither a config'),
    ],
)
def test_a_wrong_text_is_pointed_at(text: str, position: int, words: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse(text)
    assert words in caught.value.detail
    assert caught.value.position == position


def test_the_caret_stands_under_the_wrong_character() -> None:
    with pytest.raises(SelectorError) as caught:
        parse("env=prod,\nversion>=abc,x")
    assert caught.value.caret == "version>=abc,x\n         ^"


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        ({}, (), "write all: true for every agent"),
        ({"match": "any"}, (), "The selector is empty"),
        ({"labls": {"a": "b"}}, ("labls",), "labls is not a key of a selector"),
        ({"labels": {}}, ("labels",), "such as {env: prod}"),
        ({"labels": {"a": 1.1}}, ("labels", "a"), 'quote it: "1.1"'),
        ({"labels": {"a": None}}, ("labels", "a"), "use exists"),
        ({"labels": {"a": []}}, ("labels", "a"), "name at least one"),
        ({"labels": {"a": ["b", "!=c"]}}, ("labels", "a", 1), "{notin: [...]}"),
        ({"labels": {"a": {"not": ["b"]}}}, ("labels", "a"), "{notin: [...]}"),
        ({"labels": {"a": ">=x"}}, ("labels", "a"), '"x" is not a version'),
        ({"labels": {"a": "eu-*"}}, ("labels", "a"), "For a pattern write ~eu-*"),
        ({"labels": {"a": "x\x00"}}, ("labels", "a"), "This is not text"),
        ({"labels": {"status": "up"}}, ("labels", "status"), '"up" is not a status'),
        ({"capabilities": ["transfrom"]}, ("capabilities", 0), "neither a component"),
        ({"named": ["a b"]}, ("named", 0), "not the name of a saved selector"),
        ({"exists": [""]}, ("exists", 0), "not the name of a label"),
        ({"labels": {"a": "b"}, "match": "some"}, ("match",), "match is all or any"),
        ({"all": False}, ("all",), "Write all: true"),
        ({"all": True, "labels": {"a": "b"}}, ("all",), "remove it or the rest"),
        (["env"], (), "A selector is text or a mapping"),
        (None, (), "A selector is text or a mapping"),
    ],
)
def test_wrong_yaml_is_pointed_at(data: object, path: tuple[object, ...], words: str) -> None:
    with pytest.raises(SelectorError) as caught:
        from_yaml(data)
    assert words in caught.value.detail
    assert caught.value.path == path


def test_a_selector_has_a_bound() -> None:
    with pytest.raises(SelectorError, match="at most 200 terms"):
        parse(",".join(f"k{n}=v" for n in range(201)))
    with pytest.raises(SelectorError, match="at most 10,000"):
        parse("k=" + "v" * 10_000)


def outcome(text: str) -> str:
    try:
        return to_text(parse(text))
    except SelectorError as error:
        assert error.position is None or 0 <= error.position <= len(text)  # noqa: PT017 - total
        return error.detail


@given(st.text("ab=!<>~,()\"'* \n@\\inor1.", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert outcome(text)
