from __future__ import annotations

import pytest

from agents.actions.label import set_labels
from agents.selectors.fields import FIELDS
from console.lib.problems import Invalid
from tests.make.agents import make_collector
from tests.make.people import make_actor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", FIELDS)
def test_a_label_is_not_named_like_a_field(key: str) -> None:
    agent, by = make_collector(), make_actor("operator")
    with pytest.raises(Invalid) as caught:
        set_labels(agent_id=agent.pk, by=by, set={key: "x"})
    assert "is a field of every agent" in caught.value.errors[0].message


def test_one_that_is_there_already_can_go() -> None:
    agent, by = make_collector(operator_labels={"name": "old"}), make_actor("operator")
    assert "name" not in set_labels(agent_id=agent.pk, by=by, remove=["name"]).labels
