"""What sets the agents that failed apart from those that run the version. Pure.

Every fact (a label's value, a version, a component of the build) is held against both sides. How likely
such a split is if the fact had nothing to do with it is Fisher's exact test; as many facts are tried,
the limit is divided by their number (Bonferroni). Facts that hold for exactly the same agents are one
finding: nobody can tell from these agents which of them it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma

MAX_CAUSES = 5
LEVEL = 0.05
_MIN_COVERED = 0.5  # a fact that explains less than half of the failures is not the cause


class FactKind(StrEnum):
    """Where a fact comes from."""

    LABEL = "label"
    HAS = "has"  # a component of the build
    LACKS = "lacks"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds for some agents: a label's key and value, or a component's name."""

    kind: FactKind
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many agents of each side a fact holds for; `mark` is equal only for the same agents."""

    fact: Fact
    failed: int
    passed: int
    mark: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """A fact that the failures have and the others lack, with the other facts of the same agents.

    `chance` is how likely so clear a split is by chance alone (0 to 1), already corrected for the
    number of facts that were tried.
    """

    fact: Fact
    same: tuple[Fact, ...]
    failed: int
    passed: int
    chance: float


class HowApart(StrEnum):
    """What the comparison came to."""

    FOUND = "found"
    NOTHING = "nothing"  # nothing sets them apart
    TOO_FEW = "too_few"  # so few agents that nothing could
    NO_PASSING = "no_passing"  # nobody runs the version, so there is nobody to compare with


@dataclass(frozen=True, slots=True)
class Apart:
    """The answer; `failed` and `passed` are the sizes of both sides, as far as they were read."""

    verdict: HowApart
    failed: int
    passed: int
    causes: tuple[Suspect, ...] = ()


def apart(counts: Iterable[Count], failed: int, passed: int) -> Apart:
    """Compare the sides; causes are the clearest first, at most MAX_CAUSES."""
    if not failed or not passed:
        return Apart(HowApart.NO_PASSING, failed, passed)
    tried = _merged(counts, failed, passed)
    if tried and len(tried) * _by_chance(failed, failed, 0, passed) > LEVEL:
        return Apart(HowApart.TOO_FEW, failed, passed)
    causes = []
    for first, *others in tried:
        if first.failed < _MIN_COVERED * failed or first.failed * passed <= first.passed * failed:
            continue
        chance = min(1.0, fisher(first.failed, failed, first.passed, passed) * len(tried))
        if chance <= LEVEL:
            same = tuple(other.fact for other in others)
            causes.append(Suspect(first.fact, same, first.failed, first.passed, chance))
    causes.sort(key=lambda one: (one.chance, -one.failed, one.passed, one.fact.key))
    verdict = HowApart.FOUND if causes else HowApart.NOTHING
    return Apart(verdict, failed, passed, tuple(causes[:MAX_CAUSES]))


def fisher(hit: int, of: int, other_hit: int, other_of: int) -> float:
    """Return the chance of at least `hit` of `of`, given hit + other_hit among all (one-sided)."""
    hits = hit + other_hit
    return min(
        1.0, sum(_by_chance(k, of, hits - k, other_of) for k in range(hit, min(hits, of) + 1))
    )


def _by_chance(hit: int, of: int, other_hit: int, other_of: int) -> float:
    """Return the chance of exactly this split (hypergeometric), by logarithms: sides are thousands."""
    if not 0 <= other_hit <= other_of:
        return 0.0
    ways = _log_ways(of, hit) + _log_ways(other_of, other_hit)
    return exp(ways - _log_ways(of + other_of, hit + other_hit))


def _log_ways(of: int, chosen: int) -> float:
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


# Of facts that hold for the same agents, the one that says most to a person comes first.
_KEYS = ("version", "region", "zone", "env", "cluster", "os.type", "host.arch", "service.name")


def _told_first(count: Count) -> tuple[bool, int, str]:
    fact = count.fact
    known = _KEYS.index(fact.key) if fact.key in _KEYS else len(_KEYS)
    return fact.kind is not FactKind.LABEL, known, fact.key


def _merged(counts: Iterable[Count], failed: int, passed: int) -> list[list[Count]]:
    """Return the facts that could tell the sides apart, those of the same agents together."""
    alike: dict[tuple[int, int, int], list[Count]] = {}
    for count in counts:
        is_everyone = count.failed == failed and count.passed == passed
        names_one = count.failed + count.passed == 1
        if count.failed and not is_everyone and not names_one:
            alike.setdefault((count.mark, count.failed, count.passed), []).append(count)
    return [sorted(same, key=_told_first) for same in alike.values()]
