"""Reading a PromQL expression: what is wrong with it and where, and what it speaks of. Pure.

The parser names no places. A word that no ending can make right is found by trying prefixes; what
is wrong with a function or a bracket is found by reading it alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser as parser

from console.lib.texts import SaidError, Text
from console.lib.texts import text as say
from rollouts.promql import reach
from rollouts.promql.kept import Kept, kept_by
from rollouts.promql.reach import Reach
from rollouts.promql.tokens import OPENERS, Lexeme, place_of, plain, tokens_of, unclosed

MOST_CHARS = 10_000
_ENDINGS = (
    "",
    "a",
    "1",
    '"a"',
    '="a"',
    "5m",
    "a[5m]",
    '{a="b"}',
    "(a)",
    "(1)",
    "by (a) (a)",
    ":5m",
)
_OPERANDS = ("(a)", "a")
_KINDS = {"NumberLiteral": "number", "StringLiteral": "text", "MatrixSelector": "range"}
_NUMBERS = frozenset({"scalar", "time", "pi"})


class BadPromql(SaidError):
    """What is wrong, and where: line and column of the expression, both counted from 1."""

    def __init__(self, what: Text | str, line: int = 1, column: int = 1) -> None:
        super().__init__("promql.at", line=line, column=column, what=what)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood.

    `kind` is what it gives: vector, number, range or text. `metrics` are named in order. `kept` are
    the labels that its result can carry, `reach` how far back its present looks.
    """

    text: str
    tree: Any
    kind: str
    metrics: tuple[str, ...]
    kept: Kept
    reach: Reach
    uses_bool: bool


@lru_cache(maxsize=512)
def read(text: str) -> Expression:
    """Read an expression. Raises BadPromql."""
    if len(text) > MOST_CHARS:
        raise BadPromql(say("promql.too_long", most=MOST_CHARS))
    found = tokens_of(text)
    if not found:
        raise BadPromql(say("promql.empty"))
    try:
        tree = parser.parse(_readable(text, found))
    except ValueError as error:
        raise _placed(text, found, str(error)) from None
    return Expression(
        text=text,
        tree=tree,
        kind=_kind(tree),
        metrics=tuple(dict.fromkeys(_metrics(tree))),
        kept=kept_by(tree),
        reach=reach.of(tree),
        uses_bool=any(_is_bool(node) for node in _nodes(tree)),
    )


def condition(text: str) -> Expression:
    """Read the condition of a trigger: it must be able to give nothing. Raises BadPromql."""
    found = read(text)
    if found.kind == "vector":
        return found
    if found.kind == "number":
        raise BadPromql(say("promql.always_true"))
    raise BadPromql(say("promql.no_condition", kind=found.kind))


def query(text: str) -> Expression:
    """Read the query of a metric: it must give numbers. Raises BadPromql."""
    found = read(text)
    if found.kind in {"vector", "number"}:
        return found
    raise BadPromql(say("promql.no_value", kind=found.kind))


# --- What the tree says ----------------------------------------------------------------------


def _nodes(tree: Any) -> Iterator[Any]:
    found: list[Any] = []
    parser.walk(tree, found.append)
    yield from found


def _metrics(tree: Any) -> Iterator[str]:
    for node in _nodes(tree):
        if type(node).__name__ == "VectorSelector":
            name = metric_of(node)
        elif type(node).__name__ == "MatrixSelector":
            name = metric_of(node.vector_selector)
        else:
            continue
        if name:
            yield name


def metric_of(selector: Any) -> str:
    """Return the metric that a vector selector names, "" when it names none."""
    if selector.name:
        return str(selector.name)
    for matcher in selector.matchers.matchers:
        if matcher.name == "__name__" and matcher.op == parser.MatchOp.Equal:
            return str(matcher.value)
    return ""


def _is_bool(node: Any) -> bool:
    modifier = getattr(node, "modifier", None) if type(node).__name__ == "BinaryExpr" else None
    return bool(modifier and modifier.return_bool)


def _kind(tree: Any) -> str:
    name = type(tree).__name__
    if name in {"ParenExpr", "UnaryExpr"}:
        return _kind(tree.expr)
    if name == "BinaryExpr":
        return "number" if _kind(tree.lhs) == _kind(tree.rhs) == "number" else "vector"
    if name == "Call":
        return "number" if tree.func.name in _NUMBERS else "vector"
    return "range" if name == "SubqueryExpr" else _KINDS.get(name, "vector")


# --- What is wrong, and where ----------------------------------------------------------------


def _readable(text: str, found: list[Lexeme]) -> str:
    """Return the text with raw strings in double quotes."""
    for token in reversed(found):
        if token.text[0] == "`":
            text = text[: token.start] + plain([token]) + text[token.start + len(token.text) :]
    return text


def _placed(text: str, found: list[Lexeme], message: str) -> BadPromql:
    open_brackets = unclosed(found)
    if open_brackets:
        token = open_brackets[-1]
        return BadPromql(say("promql.never_closed", read=token.text), *place_of(text, token.start))
    stray = _stray(found)
    if stray is not None:
        return BadPromql(
            say("promql.closes_nothing", read=stray.text), *place_of(text, stray.start)
        )
    if _names_nothing(message):
        return _unexpected(text, found)
    if "unexpected end of input" in message:
        return BadPromql(say("promql.too_early"), *place_of(text, len(text.rstrip())))
    token = _smallest_wrong(found, message) or found[0]
    return BadPromql(message, *place_of(text, token.start))


def _names_nothing(message: str) -> bool:
    """Whether the parser only says that the words are no expression."""
    return message in ("", "invalid promql query")


def _stray(found: list[Lexeme]) -> Lexeme | None:
    """Return the first closing bracket that no opening one asks for."""
    asked: list[str] = []
    for token in found:
        if token.text in OPENERS:
            asked.append(OPENERS[token.text])
        elif token.text in OPENERS.values() and (not asked or token.text != asked.pop()):
            return token
    return None


def _unexpected(text: str, found: list[Lexeme]) -> BadPromql:
    """Name the first word after which nothing can be right any more (by halving)."""
    low, high = 0, len(found)
    while low < high:
        middle = (low + high) // 2
        if _can_go_on(found[: middle + 1]):
            low = middle + 1
        else:
            high = middle
    if low < len(found):
        token = found[low]
        return BadPromql(
            say("promql.unexpected", read=token.text[:60]), *place_of(text, token.start)
        )
    return BadPromql(say("promql.too_early"), *place_of(text, len(text.rstrip())))


def _can_go_on(found: list[Lexeme]) -> bool:
    """Whether some ending makes these words an expression, be it one of wrong types."""
    closers = "".join(OPENERS[token.text] for token in reversed(unclosed(found)))
    begun = plain(found)
    tails = [end + closers for end in _ENDINGS]
    if closers:  # of a list of labels: what it belongs to may still be missing
        tails += [end + closers[0] + more + closers[1:] for end in ("", "a") for more in _OPERANDS]
    return any(_is_grammatical(f"{begun} {tail}") for tail in tails)


def _is_grammatical(text: str) -> bool:
    try:
        parser.parse(text)
    except ValueError as error:
        return not _names_nothing(str(error)) and "end of input" not in str(error)
    return True


def _smallest_wrong(found: list[Lexeme], message: str) -> Lexeme | None:
    """Return where the innermost call or bracket that is wrong in the same way begins."""
    stack: list[int] = []
    for at, token in enumerate(found):
        if token.text in OPENERS:
            stack.append(at)
        elif stack and token.text == OPENERS[found[stack[-1]].text]:
            begun = stack.pop()
            first = begun - 1 if begun and found[begun - 1].is_word else begun
            if _complaint(found[first : at + 1]) == message:
                return found[first]
    return None


def _complaint(found: list[Lexeme]) -> str:
    try:
        parser.parse(plain(found))
    except ValueError as error:
        return str(error)
    return ""
