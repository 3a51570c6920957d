"""The filter of the agents list: one selector text, statuses, order, place. The URL is the state.

Facets edit the same text and the other way round (ui.md 4.2): a box `label.env=prod` becomes a
term of the selector, and the terms of the selector tick the boxes.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from agents.selectors.fields import FIELDS, SICK
from agents.selectors.grammar import EVERYTHING, Match, Selector, SelectorError, parse, to_text
from agents.selectors.tree import Exact, Label, selector_of
from console.pages.frame.forms import (
    Flag,
    Listed,
    NamedField,
    OneOf,
    PageForm,
    Parsed,
    SelectorText,
)
from console.words import states as words
from rollouts.selectors import selector_q

SORTS = {
    "status": ("status_rank", "name", "pk"),
    "name": ("name", "pk"),
    "version": ("version", "name", "pk"),
}


@dataclass(frozen=True, slots=True)
class AgentFilter:
    """What the list shows. `error` is set when the text cannot be read; then nothing is filtered
    and the page keeps its old rows."""

    text: str
    selector: Selector
    error: SelectorError | None
    statuses: tuple[str, ...]
    sort: str
    after: tuple[object, ...] | None
    before: tuple[object, ...] | None

    @property
    def query(self) -> str:
        """The canonical query string, without the place."""
        return self.url().removeprefix("?")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return not self.text and not self.statuses

    def url(self, **changes: str) -> str:
        """Return the query string of this filter with some keys replaced; the place is dropped."""
        query = QueryDict(mutable=True)
        if self.text:
            query["q"] = self.text
        query.setlist("status", list(self.statuses))
        if self.sort != "status":
            query["sort"] = self.sort
        for name, value in changes.items():
            query[name] = value
        return f"?{query.urlencode()}"

    def values_of(self, key: str) -> frozenset[str]:
        """Return the values of a label that the selector asks for: the ticked boxes."""
        for term in self.selector.terms:
            if isinstance(term, Label) and term.key == key and _is_plain(term):
                return frozenset(v.text for v in term.values if isinstance(v, Exact))
        return frozenset()

    def without_label(self, key: str) -> AgentFilter:
        """Return the filter without its plain term for a label: a facet ignores its own filter."""
        selector = replace_label(self.selector, key, ())
        return replace(self, selector=selector, text=text_of(selector))


def _is_plain(term: Label) -> bool:
    return not term.negated and all(isinstance(v, Exact) for v in term.values)


def text_of(selector: Selector) -> str:
    """Write a selector for the field: everything is shown as an empty field, not as `*`."""
    return "" if selector.is_everything else to_text(selector)


def replace_label(selector: Selector, key: str, values: tuple[str, ...]) -> Selector:
    """Return the selector with the plain term of one label replaced by these values, or none."""
    kept = [
        t for t in selector.terms if not (isinstance(t, Label) and t.key == key and _is_plain(t))
    ]
    if values:
        kept.append(Label(key, tuple(Exact(value) for value in values)))
    return selector_of(kept, selector.match)


class FilterForm(PageForm):
    """What the address says; boxes of labels are named `label.KEY`."""

    q = SelectorText()
    facets = Flag()
    status = Listed()
    shown = Listed()
    label = NamedField()
    sort = OneOf(SORTS, initial="status")
    after = Parsed(lambda text: read_place(text))
    before = Parsed(lambda text: read_place(text))


def read(params: QueryDict) -> AgentFilter:
    """Read the URL. `facets=1` says that the facet boxes were sent, ticked or not."""
    asked = FilterForm(params).known()
    text = asked["q"]
    error, selector = None, EVERYTHING
    if text and text != "*":
        try:
            selector = parse(text)
            selector_q(selector)  # says which saved selector (@name) does not exist
        except SelectorError as wrong:
            selector, error = EVERYTHING, wrong
    if error is None and asked["facets"]:
        selector = _with_boxes(selector, asked["shown"], asked["label"])
        text = text_of(selector)
    return AgentFilter(
        text="" if text == "*" else text,
        selector=selector,
        error=error,
        statuses=tuple(s for s in words.AGENT if s in asked["status"]),
        sort=asked["sort"],
        after=asked["after"],
        before=asked["before"],
    )


def _with_boxes(
    selector: Selector, shown: Sequence[str], ticked: Mapping[str, Sequence[str]]
) -> Selector:
    """Put the ticked label boxes into the selector. Only the labels that were shown change."""
    if selector.match is not Match.ALL:
        return selector
    for key in set(shown).difference(FIELDS) | {SICK}.intersection(shown):
        values = tuple(dict.fromkeys(ticked.get(key, ())))
        selector = replace_label(selector, key, values)
    return selector


def write_place(values: list[object]) -> str:
    """Write the place of a row in the order of the list, for `after` and `before`."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_place(text: str) -> tuple[object, ...] | None:
    """Read what `write_place` wrote; anything else is no place."""
    if not text or len(text) > 2000:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return None
    ok = isinstance(values, list) and all(isinstance(v, str | int) for v in values)
    return tuple(values) if ok else None
