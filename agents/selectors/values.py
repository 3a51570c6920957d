"""Reading and writing single values and terms, shared by the text and the YAML form. Pure."""

from __future__ import annotations

import re

from agents.selectors.tree import Exact, Glob, Label, Order, Value, VersionTerm
from agents.selectors.versions import version_key
from console.lib.texts import SaidError

SAVED_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
OPERATORS = (">=", "<=", "==", "!=", "!~", ">", "<", "=", "~")
NEGATED = frozenset({"!=", "!~"})


class BadOperand(SaidError):
    """An operator with a value it cannot take. The text is one sentence."""


def value_of(operator: str, text: str) -> Value:
    """Return the value that `operator text` asks for; negation is the caller's. Raises BadOperand.

    `==` and `!=` compare versions; with anything else they mean the text itself.
    """
    if operator in ("", "="):
        return Exact(text)
    if operator in ("~", "!~"):
        return Glob(text)
    if operator in ("==", "!="):
        return VersionTerm(Order.EQ, text.strip()) if version_key(text) else Exact(text)
    if version_key(text) is None:
        raise BadOperand("selector.no_version", read=text[:60], operator=operator)
    return VersionTerm(Order(operator), text.strip())


def split_operator(text: str) -> tuple[str, str]:
    """Split `>=1.4.0` into operator and rest; the operator is "" where there is none."""
    for operator in OPERATORS:
        if text.startswith(operator):
            rest = text[len(operator) :]
            return operator, rest if operator in ("=", "~", "!~") else rest.strip()
    return "", text


def is_negated(operator: str) -> bool:
    """Return whether the operator says "not"."""
    return operator in NEGATED


def single_operator(label: Label) -> str | None:
    """Return the operator that writes a label with one value, or None when only a list can."""
    if len(label.values) != 1:
        return None
    value = label.values[0]
    if isinstance(value, Glob):
        return "!~" if label.negated else "~"
    if isinstance(value, VersionTerm):
        if not label.negated:
            return value.order.value
        return "!=" if value.order is Order.EQ else None
    if not label.negated:
        return "="
    text = value.text
    is_plain = version_key(text) is None and text == text.strip() and "*" not in text
    return "!=" if is_plain else None


def operand(value: Value) -> str:
    """Return the text after the operator."""
    if isinstance(value, Exact):
        return value.text
    return value.pattern if isinstance(value, Glob) else value.version


def list_operator(value: Value) -> str:
    """Return what stands before the operand of a value in a list: "" for an exact one."""
    if isinstance(value, Exact):
        return ""
    return "~" if isinstance(value, Glob) else value.order.value


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold the text: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
