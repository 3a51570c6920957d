"""What a selector that matches nobody may have meant: the nearest labels that do exist. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from dataclasses import replace

from agents.selectors.tree import Exact, Label, Selector, Term, Value, selector_of

_NEAR_KEY, _NEAR_VALUE = 0.75, 0.6  # difflib's ratio; a wrong key misleads more than a wrong value


def nearest(
    selector: Selector, keys: Collection[str], values_of: Callable[[str], Collection[str]]
) -> Selector | None:
    """Return the selector with keys and exact values that exist, None when that changes nothing.

    `keys` are the labels agents have and the fields, `values_of` the values of one of them; those
    of a field whose values are not read are none.
    """

    def put_right(term: Term) -> Term:
        if not isinstance(term, Label) or term.negated:
            return term
        key = term.key if term.key in keys else _near(term.key, keys, _NEAR_KEY)
        if key not in keys:
            return term
        known = values_of(key)
        return replace(term, key=key, values=tuple(_value(value, known) for value in term.values))

    meant = selector_of([put_right(term) for term in selector.terms], selector.match)
    return None if meant == selector else meant


def _value(value: Value, known: Collection[str]) -> Value:
    if not isinstance(value, Exact) or value.text in known:
        return value
    return Exact(_near(value.text, known, _NEAR_VALUE))


def _near(text: str, known: Collection[str], cutoff: float) -> str:
    return next(iter(difflib.get_close_matches(text, known, n=1, cutoff=cutoff)), text)
