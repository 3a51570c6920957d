from __future__ import annotations

import pytest

from rollouts.errors.apart import Apart, Count, Fact, FactKind, HowApart, apart, fisher


def count(key: str, value: str, failed: int, passed: int, mark: int | None = None) -> Count:
    mark = hash((key, value)) if mark is None else mark
    return Count(Fact(FactKind.LABEL, key, value), failed, passed, mark)


def told(found: Apart) -> list[tuple[str, int, int]]:
    return [(f"{c.fact.key}={c.fact.value}", c.failed, c.passed) for c in found.causes]


# R's fisher.test(matrix, alternative="greater")
@pytest.mark.parametrize(
    ("hit", "of", "other_hit", "other_of", "chance"),
    [
        (9, 9, 0, 11, 5.953800e-06),
        (3, 4, 1, 4, 0.2428571),
        (10, 12, 2, 12, 0.0016645),
        (0, 5, 5, 5, 1.0),
        (5, 5, 5, 5, 1.0),
        (1_000, 1_000, 0, 1_000, 0.0),
    ],
)
def test_fisher(hit: int, of: int, other_hit: int, other_of: int, chance: float) -> None:
    assert fisher(hit, of, other_hit, other_of) == pytest.approx(chance, rel=1e-3, abs=1e-12)


def test_a_version_that_all_failures_have_is_the_cause() -> None:
    found = apart(
        [
            count("version", "0.146.1", 9, 0),
            count("region", "eu", 4, 5),
            count("region", "us", 5, 6),
            count("env", "prod", 9, 11),
        ],
        9,
        11,
    )
    assert found.verdict is HowApart.FOUND
    assert told(found) == [("version=0.146.1", 9, 0)]


def test_nothing_sets_them_apart() -> None:
    found = apart([count("region", "eu", 5, 6), count("region", "us", 4, 5)], 9, 11)
    assert (found.verdict, found.causes) == (HowApart.NOTHING, ())


def test_what_everybody_has_is_no_cause() -> None:
    assert apart([count("env", "prod", 9, 11)], 9, 11).verdict is HowApart.NOTHING


def test_the_name_of_one_agent_is_no_cause() -> None:
    names = [count("host.name", f"h{n}", 1, 0) for n in range(9)]
    assert apart(names, 9, 11).verdict is HowApart.NOTHING


def test_nobody_passes_so_there_is_nothing_to_compare_with() -> None:
    assert apart([count("version", "1", 9, 0)], 9, 0).verdict is HowApart.NO_PASSING


def test_so_few_agents_that_chance_explains_it() -> None:
    assert apart([count("version", "1", 2, 0)], 2, 2).verdict is HowApart.TOO_FEW


def test_many_facts_make_chance_likelier() -> None:
    """1 of 20 facts splits 4 of 4 from 0 of 4 once in 70: not worth a word among forty facts."""
    one = count("version", "1", 4, 0)
    assert apart([one], 4, 4).verdict is HowApart.FOUND
    noise = [count("pod", f"p{n}", 1, 1) for n in range(40)]
    assert apart([one, *noise], 4, 4).verdict is HowApart.TOO_FEW


def test_facts_of_the_same_agents_are_one_finding() -> None:
    found = apart(
        [
            count("zebra", "z", 9, 0, mark=7),
            count("version", "0.146.1", 9, 0, mark=7),
            count("region", "eu", 9, 0, mark=8),
        ],
        9,
        11,
    )
    assert told(found) == [("region=eu", 9, 0), ("version=0.146.1", 9, 0)]
    version = found.causes[1]
    assert [fact.key for fact in version.same] == ["zebra"]


def test_the_clearest_fact_comes_first() -> None:
    found = apart(
        [count("region", "eu", 9, 3), count("version", "1", 9, 0), count("os.type", "x", 8, 0)],
        9,
        11,
    )
    assert told(found) == [("version=1", 9, 0), ("os.type=x", 8, 0), ("region=eu", 9, 3)]


def test_a_fact_of_few_failures_is_not_the_cause() -> None:
    assert (
        told(apart([count("version", "1", 40, 0), count("region", "eu", 60, 100)], 100, 200)) == []
    )


def test_what_the_passing_ones_have_is_not_the_cause() -> None:
    assert told(apart([count("version", "1", 5, 11)], 9, 11)) == []


def test_thousands_of_agents() -> None:
    found = apart([count("version", "1", 900, 100), count("region", "eu", 500, 500)], 1_000, 1_000)
    assert told(found) == [("version=1", 900, 100)]
    assert 0 <= found.causes[0].chance < 1e-100
