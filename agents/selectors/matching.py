"""A selector evaluated in Python over one agent's facts; agrees with the SQL of `compile`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from agents.selectors import capabilities, fields
from agents.selectors.errors import SelectorError
from agents.selectors.tree import (
    Capability,
    Exact,
    Exists,
    Glob,
    Label,
    Match,
    Named,
    Order,
    Selector,
    Term,
    Value,
    VersionTerm,
)
from agents.selectors.versions import version_key
from agents.status_words import STATUSES
from console.lib.texts import text


@dataclass(frozen=True, slots=True)
class AgentLook:
    """What a selector can see of an agent. `components` are names such as `processor:batch`,
    `configs` what it runs by every name that has (`gateway@v3`), `sick` the component that it calls
    unhealthy (`exporter otlp/eu`)."""

    labels: Mapping[str, str] = field(default_factory=dict)
    components: Collection[str] = ()
    capabilities: int = 0
    name: str = ""
    uid: str = ""
    status: str = "unknown"
    configs: Collection[str] = ()
    sick: str = ""


def matches(
    selector: Selector, look: AgentLook, named: Mapping[str, Selector] | None = None
) -> bool:
    """Return whether the agent is selected. Raises SelectorError for an unknown saved selector."""
    if selector.is_everything:
        return True
    found = (_term(term, look, named or {}) for term in selector.terms)
    return all(found) if selector.match is Match.ALL else any(found)


def without(named: Mapping[str, Selector] | None, name: str) -> dict[str, Selector]:
    """Return the saved selectors that may be used inside `name`: not itself, so no circle."""
    return {other: selector for other, selector in (named or {}).items() if other != name}


def saved(named: Mapping[str, Selector] | None, name: str) -> Selector:
    """Return a saved selector. Raises SelectorError when it is not there or refers to itself."""
    if named is None or name not in named:
        raise SelectorError(text("selector.not_saved_or_circle", name=name))
    return named[name]


def status_words(values: Collection[Value]) -> list[str]:
    """Return the statuses that these values mean."""
    return [word for word in STATUSES if any(_text(value, word) for value in values)]


def names_config(value: Value, config: str, number: int) -> bool:
    """Return whether a value of `config` means this version of it."""
    if isinstance(value, Glob):
        known = f"{config}@v{number}" if "@" in value.pattern else config
        return _glob(value.pattern, known)
    return fields.config_and_number(fields.wanted(value)) in ((config, None), (config, number))


def _term(term: Term, look: AgentLook, named: Mapping[str, Selector]) -> bool:
    if isinstance(term, Label | Exists) and term.key in fields.FIELDS:
        found = _field(term.key, getattr(term, "values", None), look)
    elif isinstance(term, Label):
        found = _label(term.key, term.values, look)
    elif isinstance(term, Exists):
        found = term.key in look.labels
    elif isinstance(term, Named):
        found = matches(saved(named, term.name), look, without(named, term.name))
    else:
        found = _capability(term, look)
    return found != term.negated


def _capability(term: Capability, look: AgentLook) -> bool:
    if term.values:
        return _label(term.name, term.values, look)
    if term.name in capabilities.BITS:
        return bool(look.capabilities & capabilities.BITS[term.name])
    return capabilities.component_of(term.name) in look.components


def _field(key: str, values: tuple[Value, ...] | None, look: AgentLook) -> bool:
    if key == fields.CONFIG:
        runs = [(name, int(v)) for name, _, v in (c.rpartition("@v") for c in look.configs)]
        return any(
            values is None or any(names_config(value, *one) for value in values) for one in runs
        )
    if values is None:
        known = {fields.NAME: look.name, fields.SICK: look.sick}
        return bool(known.get(key, True))
    if key == fields.STATUS:
        return look.status in status_words(values)
    if key == fields.NAME:
        return any(_text(value, look.name) for value in values)
    if key == fields.SICK:
        return any(_is_sick(value, look.sick) for value in values)
    return any(_is_id(value, look.uid) for value in values)


def _text(value: Value, actual: str) -> bool:
    """A field is text: what looks like a version is compared to the letter."""
    if isinstance(value, Glob):
        return _glob(value.pattern, actual)
    return fields.wanted(value) == actual


def _is_id(value: Value, uid: str) -> bool:
    if isinstance(value, Glob):
        return _glob(value.pattern.lower(), uid)
    return str(fields.as_uid(fields.wanted(value))) == uid


def _is_sick(value: Value, sick: str) -> bool:
    if isinstance(value, Glob):
        return bool(sick) and _glob(fields.component_said(value.pattern), sick)
    return bool(sick) and fields.component_said(fields.wanted(value)) == sick


def _label(key: str, values: tuple[Value, ...], look: AgentLook) -> bool:
    actual = look.labels.get(key)
    return actual is not None and any(_value(value, actual) for value in values)


def _value(value: Value, actual: str) -> bool:
    if isinstance(value, Exact):
        return actual == value.text
    if isinstance(value, Glob):
        return _glob(value.pattern, actual)
    return _compare(value, version_key(actual), version_key(value.version))


def _compare(value: VersionTerm, actual: str | None, wanted: str | None) -> bool:
    if actual is None or wanted is None:
        return False
    if value.order is Order.EQ:
        return actual == wanted
    if value.order is Order.GE:
        return actual >= wanted
    if value.order is Order.GT:
        return actual > wanted
    return actual <= wanted if value.order is Order.LE else actual < wanted


def _glob(pattern: str, text: str) -> bool:
    """Match greedily with one step back, so that no pattern of an operator costs more than n*m."""
    at = here = 0
    star, resume = -1, 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[here]):
            at += 1
            here += 1
        elif star >= 0:
            at, resume = star + 1, resume + 1
            here = resume
        else:
            return False
    return not pattern[at:].strip("*")
