from __future__ import annotations

import pytest

from accounts.actor import Actor
from accounts.models import AuditEvent
from agents.models import Agent
from agents.selectors.errors import SelectorError
from agents.selectors.grammar import parse
from console.lib.problems import Denied
from rollouts.actions.files.save_selector import save_selector
from rollouts.models import NamedSelector
from rollouts.selectors import selector_q
from tests.make.people import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Actor:
    return make_actor("author")


@pytest.mark.parametrize("form", ["env=prod", {"labels": {"env": "prod"}}])
def test_either_form_is_kept_as_text(author: Actor, form: object) -> None:
    assert save_selector(name="prod", selector=form, by=author).text == "env=prod"


def test_saving_again_changes_only_what_changed(author: Actor) -> None:
    for form in ("env=prod", {"labels": {"env": "prod"}}, "env=dev"):
        save_selector(name="mine", selector=form, by=author)
    assert NamedSelector.objects.get(name="mine").text == "env=dev"
    assert AuditEvent.objects.filter(object_kind="selector").count() == 2


def test_a_saved_selector_is_used_by_its_name(author: Actor) -> None:
    save_selector(name="prod", selector="env=prod", by=author)
    save_selector(name="big", selector="@prod,tier=gold", by=author)
    condition = selector_q(parse("@big,version>=1.0"))
    assert not Agent.objects.filter(condition).exists()


def test_a_reference_must_lead_somewhere(author: Actor) -> None:
    with pytest.raises(SelectorError, match="no saved selector named gone"):
        save_selector(name="mine", selector="@gone", by=author)
    with pytest.raises(SelectorError, match="no saved selector named gone"):
        selector_q(parse("@gone"))


def test_a_circle_is_refused_even_behind_terms_that_decide_alone(author: Actor) -> None:
    save_selector(name="a", selector="env=prod", by=author)
    save_selector(name="b", selector="env=prod or @a", by=author)
    with pytest.raises(SelectorError, match="refers to itself"):
        save_selector(name="a", selector="env=prod or @b", by=author)


def test_only_authors_save_selectors() -> None:
    with pytest.raises(Denied):
        save_selector(name="mine", selector="*", by=make_actor("operator"))
