"""A selector as one SQL condition on `Agent` (spec section 3: < 100 ms over 100,000 agents).

Exact values use the GIN index on `labels`; versions compare `version_keys` byte by byte; a
component is asked of the few component sets, not of the agents. Fields (`name`, `id`, `status`,
`config`, `sick_component`) are columns. Which bodies a config has is known to who calls: `Configs`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, TypeAlias

from django.db.models import BooleanField, F, Func, Lookup, Q, TextField, Value
from django.db.models import lookups as sql
from django.db.models.functions import Cast, Collate, Now

from agents.models import ComponentSet
from agents.models.querysets import sick_name, status_q
from agents.selectors import capabilities, fields, tree
from agents.selectors.errors import SelectorError
from agents.selectors.matching import saved, status_words, without
from agents.selectors.versions import version_key
from agents.status_words import STATUSES
from console.lib.texts import text

Named: TypeAlias = Mapping[str, tree.Selector]

# Returns the hashes (or a query of them) of what these values of `config` name; of every config
# for None. Raises SelectorError for a config that is not there.
Configs: TypeAlias = Callable[[tuple[tree.Value, ...] | None], Iterable[Any]]


def to_q(selector: tree.Selector, named: Named | None = None, configs: Configs | None = None) -> Q:
    """Return the condition for `Agent.objects.matching`. `named` holds the saved selectors.

    Raises SelectorError when a saved selector is not there or refers to itself, when `config` is
    asked without `configs`, or of a config that is not there.
    """
    if selector.is_everything:
        return Q()
    terms = [_term(term, named, configs) for term in selector.terms]
    join = operator.and_ if selector.match is tree.Match.ALL else operator.or_
    return reduce(join, terms)


class _LabelText(Func):
    """The text of one key. `->>` with a text on its right, because a key may look like an index."""

    template = "(%(expressions)s::text)"
    arg_joiner = " ->> "

    def __init__(self, field: str, key: str) -> None:
        super().__init__(F(field), Value(key), output_field=TextField())


class _Like(Lookup):
    """SQL LIKE with the pattern as it is; Django offers only its parts."""

    lookup_name = "tidegate_like"

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", (*left_params, *right_params)


class _IsTrue(Func):
    """True or false, never NULL: NOT must select agents that lack the label."""

    template = "(%(expressions)s IS TRUE)"
    output_field = BooleanField()


_ORDERS: dict[tree.Order, type[Lookup[str]]] = {
    tree.Order.EQ: sql.Exact,
    tree.Order.GE: sql.GreaterThanOrEqual,
    tree.Order.GT: sql.GreaterThan,
    tree.Order.LE: sql.LessThanOrEqual,
    tree.Order.LT: sql.LessThan,
}


def _term(term: tree.Term, named: Named | None, configs: Configs | None) -> Q:
    if isinstance(term, tree.Label | tree.Exists) and term.key in fields.FIELDS:
        found = _field(term.key, getattr(term, "values", None), configs)
    elif isinstance(term, tree.Label):
        found = _label(term.key, term.values)
    elif isinstance(term, tree.Exists):
        found = Q(labels__has_key=term.key)
    elif isinstance(term, tree.Named):
        inner = to_q(saved(named, term.name), without(named, term.name), configs)
        found = inner or Q(pk__isnull=False)
    else:
        found = _capability(term)
    return ~Q(_IsTrue(found)) if term.negated else found


def _capability(term: tree.Capability) -> Q:
    if term.values:
        return _label(term.name, term.values)
    if term.name in capabilities.BITS:
        bit = capabilities.BITS[term.name]
        return Q(sql.Exact(F("capabilities").bitand(bit), bit))
    component = capabilities.component_of(term.name)
    sets = ComponentSet.objects.filter(names__contains=[component])
    return Q(components_hash__in=sets.values("pk"))


def _field(key: str, values: tuple[tree.Value, ...] | None, configs: Configs | None) -> Q:
    """Return the condition for a field with one of these values, for None with any."""
    if key == fields.CONFIG:
        if configs is None:
            raise SelectorError(text("selector.config_not_here"))
        return Q(status__running_hash__in=configs(values))
    if key == fields.STATUS:
        words = STATUSES if values is None else status_words(values)
        return status_q(words, Now())
    if values is None:
        return _HAS.get(key, Q(pk__isnull=False))
    return reduce(operator.or_, (_COLUMNS[key](value) for value in values))


def _of_name(value: tree.Value) -> Q:
    if isinstance(value, tree.Glob):
        return Q(_Like(F("name"), Value(_like_pattern(value.pattern))))
    return Q(name=fields.wanted(value))


def _of_id(value: tree.Value) -> Q:
    if isinstance(value, tree.Glob):
        pattern = _like_pattern(value.pattern.lower())
        return Q(_Like(Cast("instance_uid", TextField()), Value(pattern)))
    return Q(instance_uid=fields.as_uid(fields.wanted(value)))


def _of_sick(value: tree.Value) -> Q:
    if isinstance(value, tree.Glob):
        pattern = _like_pattern(fields.component_said(value.pattern))
        return _HAS[fields.SICK] & Q(_Like(sick_name(), Value(pattern)))
    said = fields.component_said(fields.wanted(value))
    return _HAS[fields.SICK] & Q(sql.Exact(sick_name(), Value(said)))


_HAS = {fields.NAME: ~Q(name=""), fields.SICK: Q(status__sick_component__gt="")}
_COLUMNS = {fields.NAME: _of_name, fields.ID: _of_id, fields.SICK: _of_sick}


def _label(key: str, values: tuple[tree.Value, ...]) -> Q:
    return reduce(operator.or_, (_value(key, value) for value in values))


def _value(key: str, value: tree.Value) -> Q:
    if isinstance(value, tree.Exact):
        return Q(labels__contains={key: value.text})
    if isinstance(value, tree.Glob):
        return Q(_Like(_LabelText("labels", key), Value(_like_pattern(value.pattern))))
    # Keys are compared in collation "C": what the database was created with must not matter.
    stored = Collate(_LabelText("version_keys", key), "C")
    return Q(_ORDERS[value.order](stored, Value(version_key(value.version))))


def _like_pattern(pattern: str) -> str:
    for special in ("\\", "%", "_"):
        pattern = pattern.replace(special, f"\\{special}")
    return pattern.replace("*", "%").replace("?", "_")
