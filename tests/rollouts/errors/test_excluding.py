from __future__ import annotations

import pytest

from rollouts.errors.apart import Fact, FactKind
from rollouts.errors.excluding import without


@pytest.mark.parametrize(
    ("selector", "fact", "left"),
    [
        ("*", Fact(FactKind.LABEL, "version", "0.146.1"), "version notin (0.146.1)"),
        ("a=b", Fact(FactKind.LABEL, "x y", 'q"'), 'a=b,"x y"!="q\\""'),
        ("a=b", Fact(FactKind.HAS, "processor:transform", ""), "a=b,!has(transform_processor)"),
        ("a=b", Fact(FactKind.LACKS, "processor:transform", ""), "a=b,has(transform_processor)"),
        ("a=b or c=d", Fact(FactKind.LABEL, "e", "f"), ""),
        ("region in (", Fact(FactKind.LABEL, "e", "f"), ""),
    ],
)
def test_a_selector_without_the_failures(selector: str, fact: Fact, left: str) -> None:
    assert without(selector, fact) == left
