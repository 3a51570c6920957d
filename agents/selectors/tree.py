"""What a selector says, whichever form it was written in. Frozen and comparable. Pure.

A selector is flat: all (or any) of its terms. Negated terms are also true for agents that lack
the label, as in Kubernetes; add the label itself (`env,env!=prod`) to ask for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Match(StrEnum):
    """Whether every term must hold, or one of them."""

    ALL = "all"
    ANY = "any"


class Order(StrEnum):
    """Comparisons of versions (semver and PEP 440, see `versions`)."""

    GE = ">="
    LE = "<="
    GT = ">"
    LT = "<"
    EQ = "=="


@dataclass(frozen=True, slots=True)
class Exact:
    """The value itself, to the letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern: `*` stands for any text, `?` for one character."""

    pattern: str


@dataclass(frozen=True, slots=True)
class VersionTerm:
    """A version comparison. Values that are not versions never satisfy it."""

    order: Order
    version: str


Value: TypeAlias = Exact | Glob | VersionTerm


@dataclass(frozen=True, slots=True)
class Label:
    """A label has one of the values; negated: it has none of them, or the label is absent."""

    key: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The label is there, with any value; negated: it is not."""

    key: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Capability:
    """The agent can do something: a component, an OpAMP capability bit, or (with values) a
    reported attribute, usually a version."""

    name: str
    values: tuple[Value, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The selector saved under this name holds."""

    name: str
    negated: bool = False


Term: TypeAlias = Label | Exists | Capability | Named

_RANK = {Label: 0, Exists: 1, Capability: 2, Named: 3}


@dataclass(frozen=True, slots=True)
class Selector:
    """All or any of `terms`. No terms at all means every agent; only `EVERYTHING` is that."""

    terms: tuple[Term, ...]
    match: Match = Match.ALL

    @property
    def is_everything(self) -> bool:
        """Return whether this is `*`."""
        return not self.terms


EVERYTHING = Selector(())


def selector_of(terms: list[Term], match: Match) -> Selector:
    """Return the selector in its one canonical order, so that both forms give equal trees."""
    unique = list(dict.fromkeys(terms))
    ordered = sorted(unique, key=lambda term: (_RANK[type(term)], _exists_rank(term)))
    return Selector(tuple(ordered), match if len(ordered) > 1 else Match.ALL)


def _exists_rank(term: Term) -> bool:
    return isinstance(term, Exists) and term.negated
