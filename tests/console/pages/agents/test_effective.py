"""What an agent shows against what it is assigned."""

from __future__ import annotations

import pytest

from agents.models import AgentBody
from agents.redacting import own_redactor
from console.pages.agents.effective import against, read
from console.pages.configs.names import ConfigName
from tests.console.pages.markup import markup
from tests.make.agents import make_fleet
from tests.make.configs import RUNNABLE, make_version
from tests.make.people import sign_in
from tests.make.times import NOW

NAME = ConfigName("a" * 64, "edge", 2)
OTHER = RUNNABLE.replace("debug: ", "debug: {verbosity: basic}")


def test_the_same_text_is_the_same() -> None:
    found = against(NAME, RUNNABLE, RUNNABLE)
    assert (found.look.token, found.lines) == ("ok", [])
    assert "letter by letter" in str(found.look.label)


def test_order_and_comments_are_no_difference() -> None:
    moved = "# as the supervisor wrote it\n" + "\n".join(reversed(RUNNABLE.strip().split("\n")))
    found = against(NAME, RUNNABLE, moved)
    assert (found.look.token, found.diff.changes) == ("ok", 0)
    assert "written otherwise" in str(found.look.label)


def test_what_the_agent_added_is_shown_and_no_warning() -> None:
    found = against(NAME, RUNNABLE, RUNNABLE + "extensions: {opamp: {server: {}}}\n")
    assert found.look.token == "ok"
    assert found.diff.added > 0
    assert found.diff.removed == 0


def test_another_config_is_a_warning_with_its_lines() -> None:
    found = against(NAME, OTHER, RUNNABLE.replace("debug: ", "debug: {verbosity: detailed}"))
    assert found.look.token == "warn"
    assert found.lines


def test_what_is_no_yaml_is_compared_as_text() -> None:
    found = against(NAME, RUNNABLE, "a: [1\n")
    assert not found.is_ordered
    assert found.look.token == "warn"
    assert found.lines


def test_keys_of_mixed_kinds_are_put_in_order() -> None:
    assert against(NAME, "{1: a, b: c}", "{b: c, 1: a}").diff.is_same


@pytest.mark.django_db
def test_the_same_secret_is_no_difference_and_never_shown() -> None:
    text = RUNNABLE.replace("debug: ", "otlp: {headers: {authorization: Bearer hush-hush-1234}}")
    version = make_version(text=text)
    shown = own_redactor().redact(text)
    name = ConfigName(version.config_hash, "edge", 1)
    body = AgentBody(body={"files": {"": {"body": shown}}})
    found = read(body, name)
    assert found.against is not None
    assert found.against.look.token == "ok"
    assert "hush" not in shown


@pytest.mark.django_db
def test_the_tab_shows_the_difference_beside_the_text() -> None:
    version = make_version(text=OTHER)
    [agent] = make_fleet(1, running=version.config_hash)
    AgentBody.objects.create(
        agent=agent,
        part=AgentBody.Part.EFFECTIVE_CONFIG,
        body={"files": {"": {"body": RUNNABLE}}},
        at=NOW,
    )
    text = markup(sign_in("vera", "viewer").get(f"/agents/{agent.instance_uid}/config/"))
    assert "Against edge v1, which it is assigned" in text
    assert "It differs from what is assigned" in text
    assert "Effective config" in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("files", "assigned", "says"),
    [
        ({"": {"body": "a: 1"}}, ConfigName(""), "It is assigned no config."),
        ({"a": {"body": ""}, "b": {"body": ""}}, NAME, "several files"),
        ({"": {"body": "a: 1"}}, NAME, "not stored here"),
    ],
)
def test_why_nothing_is_compared_is_said(
    files: dict[str, object], assigned: ConfigName, says: str
) -> None:
    found = read(AgentBody(body={"files": files}), assigned)
    assert found.against is None
    assert says in found.why_not


def test_an_agent_that_shows_nothing_has_nothing_to_compare() -> None:
    assert read(None, NAME).files == []
