"""The YAML form: `labels`, `exists`, `missing`, `capabilities`, `named`, `match`. Pure.

Takes plain data (from the guarded YAML reader or from JSON) and gives it back. A value is exact
text, or begins with an operator (`>=1.4.0`, `~eu-*`, `!=prod`; `=>=x` is the text `>=x`); a list
is any of its values, `{notin: [...]}` none of them. `labels` may be a list of mappings, where a
label is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agents.selectors import capabilities
from agents.selectors.errors import MAX_TERMS, MAX_VALUES, SelectorError
from agents.selectors.fields import check_field
from agents.selectors.tree import (
    EVERYTHING,
    Capability,
    Exact,
    Exists,
    Label,
    Match,
    Named,
    Selector,
    Term,
    Value,
    selector_of,
)
from agents.selectors.values import (
    OPERATORS,
    SAVED_NAME,
    BadOperand,
    is_negated,
    is_storable,
    list_operator,
    operand,
    single_operator,
    split_operator,
    value_of,
)
from console.lib.texts import Text
from console.lib.texts import text as say

Path = tuple[str | int, ...]
KEYS = ("labels", "exists", "missing", "capabilities", "named", "match", "all")


def parse_yaml(data: object) -> Selector:
    """Read the YAML form. Raises SelectorError with the path to the wrong place."""
    if not isinstance(data, dict):
        raise SelectorError(say("selector.no_mapping"))
    for key in data:
        if key not in KEYS:
            raise _error((key,), say("selector.unknown_key", key=key, known=KEYS))
    if "all" in data:
        return _everything(data)
    match = _match(data.get("match", "all"))
    terms: list[Term] = []
    for key, read in _READERS.items():
        if key in data:
            terms += read(data[key], (key,))
    if not terms:
        raise _error((), say("selector.empty_yaml"))
    if len(terms) > MAX_TERMS:
        raise _error((), say("selector.terms", most=MAX_TERMS))
    if sum(len(getattr(term, "values", ())) for term in terms) > MAX_VALUES:
        raise _error((), say("selector.values", most=MAX_VALUES))
    return selector_of(terms, match)


def to_yaml(selector: Selector) -> dict[str, Any]:
    """Return plain data that `parse_yaml` reads back as an equal selector."""
    if selector.is_everything:
        return {"all": True}
    data: dict[str, Any] = {}
    labels = [term for term in selector.terms if isinstance(term, Label)]
    pairs = [(label.key, _label_data(label)) for label in labels]
    if pairs:
        is_unique = len({key for key, _ in pairs}) == len(pairs)
        data["labels"] = dict(pairs) if is_unique else [{key: value} for key, value in pairs]
    for term in selector.terms:
        if isinstance(term, Exists):
            data.setdefault("missing" if term.negated else "exists", []).append(term.key)
        elif isinstance(term, Capability):
            data.setdefault("capabilities", []).append(_capability_data(term))
        elif isinstance(term, Named):
            data.setdefault("named", []).append(f"{'!' if term.negated else ''}{term.name}")
    if selector.match is Match.ANY:
        data["match"] = "any"
    return data


def _everything(data: dict[str, Any]) -> Selector:
    if data["all"] is not True:
        raise _error(("all",), say("selector.all_is_true"))
    if len(data) > 1:
        raise _error(("all",), say("selector.all_and_more"))
    return EVERYTHING


def _match(value: object) -> Match:
    if value not in ("all", "any"):
        raise _error(("match",), say("selector.bad_match", read=str(value)[:40]))
    return Match(str(value))


def _labels(data: object, path: Path) -> Iterator[Term]:
    if isinstance(data, list):
        for number, item in enumerate(data):
            yield from _labels_mapping(item, (*path, number))
    else:
        yield from _labels_mapping(data, path)


def _labels_mapping(data: object, path: Path) -> Iterator[Term]:
    if not isinstance(data, dict) or not data:
        raise _error(path, say("selector.labels_no_mapping"))
    for key, value in data.items():
        values, negated = _values(value, (*path, key))
        label = Label(_key(key, (*path, key)), values, negated)
        try:
            check_field(label.key, values)
        except BadOperand as bad:
            raise _error((*path, key), bad.says) from bad
        yield label


def _values(data: object, path: Path) -> tuple[tuple[Value, ...], bool]:
    """Return the values and whether they are negated."""
    if isinstance(data, dict):
        if len(data) != 1 or next(iter(data)) not in ("in", "notin"):
            raise _error(path, say("selector.bad_values"))
        key, items = next(iter(data.items()))
        if not isinstance(items, list):
            raise _error((*path, key), say("selector.no_list"))
        return _list(items, (*path, key)), key == "notin"
    if isinstance(data, list):
        return _list(data, path), False
    operator, text = split_operator(_text(data, path))
    return (_value(operator, text, path),), is_negated(operator)


def _list(items: list[object], path: Path) -> tuple[Value, ...]:
    if not items:
        raise _error(path, say("selector.empty_values"))
    found: list[Value] = []
    for number, item in enumerate(items):
        operator, text = split_operator(_text(item, (*path, number)))
        if is_negated(operator):
            raise _error((*path, number), say("selector.bang_in_list", write="{notin: [...]}"))
        found.append(_value(operator, text, (*path, number)))
    return tuple(dict.fromkeys(found))


def _value(operator: str, text: str, path: Path) -> Value:
    if operator in ("", "==", "!=") and "*" in text:
        raise _error(path, say("selector.pattern", text=text[:60]))
    try:
        return value_of(operator, text)
    except BadOperand as bad:
        raise _error(path, say("selector.bad_operand", what=bad.says)) from bad


def _key(data: object, path: Path) -> str:
    text = _text(data, path)
    if not text:
        raise _error(path, say("selector.bad_label"))
    return text


def _text(data: object, path: Path) -> str:
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, int):
        return str(data)
    if isinstance(data, float):
        raise _error(path, say("selector.lost_digit", read=str(data)))
    if data is None:
        raise _error(path, say("selector.empty_value"))
    if not isinstance(data, str):
        raise _error(path, say("selector.single_value"))
    if not is_storable(data) or len(data) > 4096:
        raise _error(path, say("selector.text_too_long", most=4096))
    return data


def _keys(negated: bool) -> Callable[[object, Path], Iterator[Term]]:
    def read(data: object, path: Path) -> Iterator[Term]:
        for key, place in _texts(data, path):
            yield Exists(_key(key, place), negated)

    return read


def _capabilities(data: object, path: Path) -> Iterator[Term]:
    items = data if isinstance(data, list) else [data]
    if not items:
        raise _error(path, say("selector.empty_capabilities"))
    for number, item in enumerate(items):
        place: Path = (*path, number)
        if isinstance(item, dict):
            if not item:
                raise _error(place, say("selector.bad_capability"))
            for key, value in item.items():
                name, negated = _bang(_key(key, place))
                values, inside = _values(value, (*place, key))
                if inside:
                    raise _error(place, say("selector.negated_value", name=name))
                name = _key(name, place)
                yield Capability(capabilities.canonical(name), values, negated)
            continue
        name, negated = _bang(_text(item, place))
        name = capabilities.canonical(name)
        if not capabilities.is_known(name):
            raise _error(place, capabilities.unknown(name))
        yield Capability(name, (), negated)


def _named(data: object, path: Path) -> Iterator[Term]:
    for text, place in _texts(data, path):
        name, negated = _bang(text)
        if not SAVED_NAME.fullmatch(name):
            raise _error(place, say("selector.bad_saved_name"))
        yield Named(name, negated)


def _texts(data: object, path: Path) -> list[tuple[str, Path]]:
    items = data if isinstance(data, list) else [data]
    if not items:
        raise _error(path, say("selector.empty_list"))
    return [(_text(item, (*path, n)), (*path, n)) for n, item in enumerate(items)]


def _bang(text: str) -> tuple[str, bool]:
    return (text[1:], True) if text.startswith("!") else (text, False)


def _label_data(label: Label) -> object:
    operator = single_operator(label)
    if operator is not None:
        return _plain(label.values[0]) if operator == "=" else operator + operand(label.values[0])
    items = [_plain(value) for value in label.values]
    return {"notin": items} if label.negated else items


def _plain(value: Value) -> str:
    text = operand(value)
    if not isinstance(value, Exact):
        return list_operator(value) + text
    return f"={text}" if "*" in text or text.startswith(OPERATORS) else text


def _capability_data(term: Capability) -> object:
    name = f"{'!' if term.negated else ''}{term.name}"
    return {name: _label_data(Label(term.name, term.values))} if term.values else name


def _error(path: Path, says: Text) -> SelectorError:
    return SelectorError(says, path=path)


_READERS: dict[str, Callable[[object, Path], Iterator[Term]]] = {
    "labels": _labels,
    "exists": _keys(negated=False),
    "missing": _keys(negated=True),
    "capabilities": _capabilities,
    "named": _named,
}
