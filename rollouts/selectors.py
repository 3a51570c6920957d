"""Selectors together with the saved ones they may refer to (`@name`)."""

from __future__ import annotations

from django.db.models import Q

from agents.selectors.compile import to_q
from agents.selectors.grammar import Selector, parse
from agents.selectors.references import check_references, names_in
from rollouts.models import NamedSelector


def saved_selectors() -> dict[str, Selector]:
    """Read all saved selectors: one query."""
    rows = NamedSelector.objects.values_list("name", "text")
    return {name: parse(text) for name, text in rows}


def selector_q(selector: Selector) -> Q:
    """Return the condition on `Agent`, reading saved selectors only when it refers to any.

    Raises SelectorError when one is missing or leads back to itself.
    """
    if not names_in(selector):
        return to_q(selector)
    saved = saved_selectors()
    check_references("", selector, saved)
    return to_q(selector, saved)
