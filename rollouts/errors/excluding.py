"""A fact about agents as a selector, and a selector without the agents that have it. Pure."""

from __future__ import annotations

from agents.selectors.grammar import Match, SelectorError, parse, to_text
from agents.selectors.tree import Capability, Exact, Label, Selector, Term, selector_of
from rollouts.errors.apart import Fact, FactKind


def fact_text(fact: Fact) -> str:
    """Write a fact as the selector that means it: `version=0.146.1`, `has(transform_processor)`."""
    return to_text(Selector((_term(fact, negated=False),)))


def without(selector: str, fact: Fact) -> str:
    """Return the selector without the agents that a fact holds for; "" where no selector says that:
    one whose terms are joined by `or`, or one that cannot be read any more."""
    try:
        read = parse(selector)
    except SelectorError:
        return ""
    if read.match is not Match.ALL and len(read.terms) > 1:
        return ""
    return to_text(selector_of([*read.terms, _term(fact, negated=True)], Match.ALL))


def _term(fact: Fact, *, negated: bool) -> Term:
    if fact.kind is FactKind.LABEL:
        return Label(fact.key, (Exact(fact.value),), negated=negated)
    kind, _, name = fact.key.partition(":")
    lacks = fact.kind is FactKind.LACKS
    return Capability(f"{name}_{kind}", negated=negated is not lacks)
