from __future__ import annotations

import pytest

from agents.gateway.own_metrics.token import PLACEHOLDER, OwnMetricsTokens

TOKENS = OwnMetricsTokens(["key"])


def test_a_token_names_its_agent() -> None:
    assert TOKENS.agent_of(TOKENS.token_of(42)) == 42


def test_every_token_is_as_long_as_its_placeholder() -> None:
    assert {len(TOKENS.token_of(n)) for n in (1, 10**6, 10**14)} == {len(PLACEHOLDER)}


def test_a_token_cannot_be_turned_into_another_agents() -> None:
    token = TOKENS.token_of(42)
    assert TOKENS.agent_of(token.replace("42_", "43_")) is None


@pytest.mark.parametrize("token", ["", "tg_m_", PLACEHOLDER, "ü" * len(PLACEHOLDER), "tg_a_x"])
def test_anything_else_is_nobodys(token: str) -> None:
    assert TOKENS.agent_of(token) is None


def test_tokens_of_a_former_key_are_still_known() -> None:
    rotated = OwnMetricsTokens(["new", "key"])
    assert rotated.agent_of(TOKENS.token_of(7)) == 7
    assert TOKENS.agent_of(rotated.token_of(7)) is None


def test_the_token_takes_the_place_of_the_placeholder() -> None:
    part = b"\x01Bearer " + PLACEHOLDER.encode() + b"\x02"
    assert TOKENS.fill(part, 42) == b"\x01Bearer " + TOKENS.token_of(42).encode() + b"\x02"
