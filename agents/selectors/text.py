"""The text form: `env=prod,region in (a,b),version>=2.0,!legacy`. Reads and writes it. Pure.

term   = KEY | !KEY | KEY op VALUE | KEY in (ITEM, ...) | KEY notin (ITEM, ...)
       | has(NAME) | has(NAME op VALUE) | !has(...) | @SAVED | !@SAVED
op     = `=` exact, `== != >= <= > <` versions, `~ !~` patterns; ITEM = VALUE or op VALUE
Terms are joined by `,` (all of them) or `or` (any of them); `*` alone is every agent.
"""

from __future__ import annotations

from dataclasses import replace

from agents.selectors import capabilities
from agents.selectors.errors import MAX_TERMS, MAX_VALUES, SelectorError
from agents.selectors.tokens import RESERVED, Token, quote, quoted, tokens_of
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
    SAVED_NAME,
    BadOperand,
    is_negated,
    list_operator,
    operand,
    single_operator,
    value_of,
)


def parse_text(text: str) -> Selector:
    """Read the text form. Raises SelectorError with the position and one sentence."""
    return _Parser(text).selector()


def to_text(selector: Selector) -> str:
    """Write the text form; `parse_text` reads it back as an equal selector."""
    if selector.is_everything:
        return "*"
    joint = "," if selector.match is Match.ALL else " or "
    return joint.join(map(_term_text, selector.terms))


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.next = 0
        self.values = 0

    def selector(self) -> Selector:
        if self.peek().kind == "end":
            raise self.error("The selector is empty; write * for every agent.")
        if self.peek().is_word("*"):
            self.take()
            if self.peek().kind != "end":
                raise self.error("* is every agent; remove it or the rest.")
            return EVERYTHING
        terms = [self.term()]
        match: Match | None = None
        while self.peek().kind != "end":
            match = self.joint(match)
            terms.append(self.term())
            if len(terms) > MAX_TERMS:
                raise self.error(f"A selector has at most {MAX_TERMS} terms.")
        return selector_of(terms, match or Match.ALL)

    def joint(self, before: Match | None) -> Match:
        token = self.peek()
        if token.is_mark(",") or token.is_word("and"):
            match = Match.ALL
        elif token.is_word("or"):
            match = Match.ANY
        else:
            raise self.error(f'Expected a comma or "or" before {_shown(token)}.')
        if before not in (None, match):
            raise self.error(
                'A selector is all of its terms (comma) or any of them ("or"), not a mixture; '
                "save one part under a name and refer to it as @name."
            )
        self.take()
        return match

    def term(self) -> Term:
        negated = False
        if self.peek().kind == "op" and self.peek().text == "!":
            self.take()
            negated = True
        token = self.peek()
        if token.is_word("has") and self.tokens[self.next + 1].is_mark("("):
            return replace(self.capability(), negated=negated)
        if token.kind == "word" and token.text.startswith("@"):
            return self.named(negated)
        key = self.key()
        term = self.label(key)
        if isinstance(term, Label) and negated:
            raise self.error_at(token, f"Write {key}!=... or {key} notin (...) instead of !.")
        return Exists(key, negated) if term is None else term

    def named(self, negated: bool) -> Named:
        name = self.peek().text[1:]
        if not SAVED_NAME.fullmatch(name):
            raise self.error("The name of a saved selector goes after @, such as @edge-eu.")
        self.take()
        return Named(name, negated)

    def key(self) -> str:
        token = self.peek()
        if token.kind not in ("word", "quoted"):
            what = "after the comma" if self.next and self.tokens[self.next - 1].text == "," else ""
            raise self.error(f"A label is missing {what or 'here'}.")
        if token.kind == "word" and token.text in RESERVED:
            raise self.error(f'{token.text} is a word of the language; quote it as "{token.text}".')
        if not token.text or token.is_word("*"):
            raise self.error("This is not the name of a label.")
        return self.take().text

    def label(self, key: str) -> Label | None:
        """Read what follows a key; None when the key stands alone."""
        token = self.peek()
        if token.is_word("in") or token.is_word("notin"):
            self.take()
            return Label(key, self.listed(), negated=token.text == "notin")
        if token.kind != "op" or token.text == "!":
            return None
        self.take()
        return Label(key, (self.value(token),), negated=is_negated(token.text))

    def listed(self) -> tuple[Value, ...]:
        if not self.peek().is_mark("("):
            raise self.error("The values follow in parentheses: region in (a,b).")
        self.take()
        values: list[Value] = []
        while True:
            operator = self.take() if self.peek().kind == "op" else Token("op", "=", 0)
            if is_negated(operator.text) or operator.text == "!":
                raise self.error_at(operator, "Inside a list write notin (...) instead of !.")
            values.append(self.value(operator))
            if self.peek().is_mark(")"):
                self.take()
                return tuple(dict.fromkeys(values))
            if not self.peek().is_mark(","):
                raise self.error("Expected a comma or ) here.")
            self.take()

    def value(self, operator: Token) -> Value:
        token = self.peek()
        if token.kind not in ("word", "quoted"):
            raise self.error("A value is missing here.")
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.error(f"A selector has at most {MAX_VALUES:,} values.")
        if token.kind == "word" and "*" in token.text and operator.text in ("=", "==", "!="):
            raise self.error(f"For a pattern write ~{token.text}; for the text itself, quotes.")
        try:
            value = value_of(operator.text, token.text)
        except BadOperand as bad:
            raise self.error(f"{bad}.") from bad
        self.take()
        return value

    def capability(self) -> Capability:
        self.take()
        self.take()
        token = self.peek()
        name = capabilities.canonical(self.key())
        found = self.label(name)
        if found is not None and found.negated:
            raise self.error_at(token, "Write !has(...) instead of a negation inside.")
        if found is None and not capabilities.is_known(name):
            raise self.error_at(token, f"{capabilities.unknown(name)}.")
        if not self.peek().is_mark(")"):
            raise self.error("Expected ) here.")
        self.take()
        return Capability(name, found.values if found else ())

    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.tokens[self.next]
        self.next += 1
        return token

    def error(self, message: str) -> SelectorError:
        return self.error_at(self.peek(), message)

    def error_at(self, token: Token, message: str) -> SelectorError:
        return SelectorError(message, text=self.text, position=token.at)


def _term_text(term: Term) -> str:
    bang = "!" if term.negated else ""
    if isinstance(term, Label):
        return _label_text(term)
    if isinstance(term, Exists):
        return f"{bang}{quote(term.key, is_key=True)}"
    if isinstance(term, Named):
        return f"{bang}@{term.name}"
    if not term.values:
        return f"{bang}has({quote(term.name, is_key=True)})"
    return f"{bang}has({_label_text(Label(term.name, term.values))})"


def _label_text(label: Label) -> str:
    key = quote(label.key, is_key=True)
    operator = single_operator(label)
    if operator is not None:
        return f"{key}{operator}{_operand_text(label.values[0])}"
    items = ",".join(f"{list_operator(value)}{_operand_text(value)}" for value in label.values)
    return f"{key} {'notin' if label.negated else 'in'} ({items})"


def _operand_text(value: Value) -> str:
    text = operand(value)
    if isinstance(value, Exact) and "*" in text:
        return quoted(text)
    return quote(text)


def _shown(token: Token) -> str:
    return f'"{token.text[:40]}"' if token.text else "the end"
