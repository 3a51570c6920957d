from __future__ import annotations

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from console.lib.problems import Denied, Invalid
from rollouts.actions.files.apply_documents import Applied, apply_documents
from rollouts.documents import File
from rollouts.models import Config, NamedSelector, Plan
from tests.make.people import make_actor

CONFIG = "receivers:\n  otlp:\n"
OTHERS = (
    "selectors:\n"
    "  - {name: big, selector: '@eu,tier=gold'}\n"
    "  - {name: eu, labels: {region: eu-west}}\n"
    "---\n"
    "name: mine\n"
    "phases:\n"
    "  - {weight: 100%, duration: 1m}\n"
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Actor:
    return make_actor("author")


def apply(by: Actor, others: str = OTHERS, config: str = CONFIG, **more: bool) -> list[Applied]:
    files = [File.at("edge.yaml", config.encode()), File.at("others.yaml", others.encode())]
    return apply_documents(files=files, by=by, **more)


def changes(applied: list[Applied]) -> dict[str, str]:
    return {f"{one.kind}/{one.name}": one.change.value for one in applied}


def test_everything_is_made_referred_ones_first(author: Actor) -> None:
    applied = apply(author)
    assert [(one.kind.value, one.name) for one in applied] == [
        ("selector", "eu"),
        ("selector", "big"),
        ("plan", "mine"),
        ("config", "edge"),
    ]
    assert set(changes(applied).values()) == {"created"}


def test_applying_twice_changes_nothing(author: Actor) -> None:
    apply(author)
    audited = AuditEvent.objects.count()
    again = apply(author)
    assert set(changes(again).values()) == {"unchanged"}
    assert [one.difference for one in again] == [""] * 4
    assert AuditEvent.objects.count() == audited


def test_a_change_is_shown_as_a_patch(author: Actor) -> None:
    apply(author)
    applied = apply(author, OTHERS.replace("1m", "2m"), CONFIG + "processors:\n")
    assert changes(applied)["plan/mine"] == changes(applied)["config/edge"] == "changed"
    config = applied[-1]
    assert config.version == 2
    assert "+processors:" in config.difference.splitlines()


def test_an_older_version_of_a_config_counts_as_there(author: Actor) -> None:
    apply(author)
    apply(author, config=CONFIG + "processors:\n")
    config = apply(author)[-1]
    assert (config.change.value, config.version) == ("unchanged", 1)


def test_a_dry_run_says_the_same_and_does_nothing(author: Actor) -> None:
    dry = apply(author, dry_run=True)
    assert not Config.objects.exists()
    assert not NamedSelector.objects.exists()
    assert not Plan.objects.filter(built_in=False).exists()
    assert dry == apply(author)


def test_one_mistake_leaves_everything_undone(author: Actor) -> None:
    with pytest.raises(Invalid, match=r"others\.yaml:7: weight 100 has no unit"):
        apply(author, OTHERS.replace("100%", "100"))
    assert not Config.objects.exists()


def test_a_rule_broken_midway_leaves_everything_undone(author: Actor) -> None:
    with pytest.raises(Invalid, match="no saved selector named eu"):
        apply(author, OTHERS.replace("name: eu", "name: us"))
    assert not NamedSelector.objects.exists()


def test_selectors_in_a_circle_are_refused(author: Actor) -> None:
    circle = "selectors:\n  - {name: a, selector: '@b'}\n  - {name: b, selector: '@a'}\n"
    with pytest.raises(Invalid):
        apply(author, circle)


def test_only_authors_apply() -> None:
    with pytest.raises(Denied):
        apply(make_actor("operator"))


def test_findings_come_with_the_config(author: Actor) -> None:
    (config,) = [one for one in apply(author) if one.kind == "config"]
    keys = {"check", "level", "line", "message", "final", "count"}
    assert keys == set(config.checks[0])
