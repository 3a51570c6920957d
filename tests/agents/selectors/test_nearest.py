from __future__ import annotations

import pytest

from agents.selectors.grammar import parse, to_text
from agents.selectors.nearest import nearest

LABELS = {"env": ["canary", "prod", "staging"], "region": ["eu-west", "us-east"], "host.name": []}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("env=prd", "env=prod"),
        ("enb=prod", "enb=prod"),
        ("regoin=eu-west", "region=eu-west"),
        ("env in (prod,stagin)", "env in (prod,staging)"),
        ("env=prd or region=us-esat", "env=prod or region=us-east"),
    ],
)
def test_near_labels_take_the_place_of_wrong_ones(text: str, meant: str) -> None:
    found = nearest(parse(text), LABELS, LABELS.__getitem__)
    assert to_text(found or parse(text)) == meant


@pytest.mark.parametrize(
    "text", ["env=prod", "env=qqq", "env!=prd", "name=x", "env~pr?", "!legacy"]
)
def test_nothing_is_suggested_where_nothing_is_near(text: str) -> None:
    assert nearest(parse(text), LABELS, LABELS.__getitem__) is None
