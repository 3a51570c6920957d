"""What a selector refers to: saved selectors and labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agents.selectors.errors import SelectorError
from agents.selectors.fields import FIELDS
from agents.selectors.tree import Exists, Label, Named, Selector
from console.lib.texts import text


def names_in(selector: Selector) -> frozenset[str]:
    """Return the names it refers to itself."""
    return frozenset(term.name for term in selector.terms if isinstance(term, Named))


def labels_in(selector: Selector) -> frozenset[str]:
    """Return the labels it asks itself, fields not among them."""
    keys = {term.key for term in selector.terms if isinstance(term, Label | Exists)}
    return frozenset(keys.difference(FIELDS))


def check_references(name: str, selector: Selector, saved: Mapping[str, Selector]) -> None:
    """Raise SelectorError when `selector`, saved as `name`, refers to what is missing or to itself.

    `name` is "" for a selector that is not saved.
    """
    seen: set[str] = set()
    open_names = list(names_in(selector))
    while open_names:
        found = open_names.pop()
        if found == name:
            raise SelectorError(text("selector.circle", name=found))
        if found not in saved:
            raise SelectorError(text("selector.not_saved", name=found))
        if found not in seen:
            seen.add(found)
            open_names += names_in(saved[found])
