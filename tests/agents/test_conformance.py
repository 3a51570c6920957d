from __future__ import annotations

import pytest

from tests.agents.conformance import TARGET, found_tests, render
from tests.agents.obligations import LIMITED, OBLIGATIONS


@pytest.mark.parametrize("key", OBLIGATIONS)
def test_each_obligation_has_a_test(key: str) -> None:
    assert key in found_tests()


def test_each_numbered_test_has_an_obligation() -> None:
    assert set(found_tests()) <= set(OBLIGATIONS)


def test_every_limit_is_about_an_obligation() -> None:
    assert set(LIMITED) <= set(OBLIGATIONS)


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text() == render(), "run: python -m tests.agents.conformance"
