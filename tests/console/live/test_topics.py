from __future__ import annotations

import pytest

from console.live import topics


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("t=nav&t=rollout:42", ["nav", "rollout:42"]),
        ("t=rollout%3A42", ["rollout:42"]),
        ("t=nav&t=nav", ["nav"]),
        ("t=rollout:x&t=../etc&t=agent:-1", []),
        ("", []),
    ],
)
def test_only_known_topics_are_followed(query: str, found: list[str]) -> None:
    assert topics.parse(query) == found


def test_a_tab_cannot_follow_the_whole_world() -> None:
    query = "&".join(f"t=agent:{n}" for n in range(50))
    assert len(topics.parse(query)) == topics.MAX_TOPICS


def test_group_names_have_no_colons() -> None:
    assert topics.group_of("rollout:42") == "live.rollout.42"
