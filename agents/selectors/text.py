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
from agents.selectors.fields import check_field
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
from console.lib.texts import Text
from console.lib.texts import text as say


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
            raise self.error(say("selector.empty"))
        if self.peek().is_word("*"):
            self.take()
            if self.peek().kind != "end":
                raise self.error(say("selector.star_and_more"))
            return EVERYTHING
        terms = [self.term()]
        match: Match | None = None
        while self.peek().kind != "end":
            match = self.joint(match)
            terms.append(self.term())
            if len(terms) > MAX_TERMS:
                raise self.error(say("selector.terms", most=MAX_TERMS))
        return selector_of(terms, match or Match.ALL)

    def joint(self, before: Match | None) -> Match:
        token = self.peek()
        if token.is_mark(",") or token.is_word("and"):
            match = Match.ALL
        elif token.is_word("or"):
            match = Match.ANY
        else:
            raise self.error(say("selector.no_joint", token=_shown(token)))
        if before not in (None, match):
            raise self.error(say("selector.mixture"))
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
        if isinstance(term, Label):
            if negated:
                raise self.error_at(token, say("selector.bang_on_label", key=key))
            self.check_field(token, term)
        return Exists(key, negated) if term is None else term

    def check_field(self, token: Token, term: Label) -> None:
        try:
            check_field(term.key, term.values)
        except BadOperand as bad:
            raise self.error_at(token, bad.says) from bad

    def named(self, negated: bool) -> Named:
        name = self.peek().text[1:]
        if not SAVED_NAME.fullmatch(name):
            raise self.error(say("selector.no_saved_name"))
        self.take()
        return Named(name, negated)

    def key(self) -> str:
        token = self.peek()
        if token.kind not in ("word", "quoted"):
            after_comma = self.next and self.tokens[self.next - 1].text == ","
            what = "selector.no_label_after_comma" if after_comma else "selector.no_label"
            raise self.error(say(what))
        if token.kind == "word" and token.text in RESERVED:
            raise self.error(say("selector.reserved", word=token.text))
        if not token.text or token.is_word("*"):
            raise self.error(say("selector.bad_label"))
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
            raise self.error(say("selector.no_parenthesis"))
        self.take()
        values: list[Value] = []
        while True:
            operator = self.take() if self.peek().kind == "op" else Token("op", "=", 0)
            if is_negated(operator.text) or operator.text == "!":
                raise self.error_at(operator, say("selector.bang_in_list", write="notin (...)"))
            values.append(self.value(operator))
            if self.peek().is_mark(")"):
                self.take()
                return tuple(dict.fromkeys(values))
            if not self.peek().is_mark(","):
                raise self.error(say("selector.list_goes_on"))
            self.take()

    def value(self, operator: Token) -> Value:
        token = self.peek()
        if token.kind not in ("word", "quoted"):
            raise self.error(say("selector.no_value"))
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.error(say("selector.values", most=MAX_VALUES))
        if token.kind == "word" and "*" in token.text and operator.text in ("=", "==", "!="):
            raise self.error(say("selector.pattern_or_quotes", text=token.text))
        try:
            value = value_of(operator.text, token.text)
        except BadOperand as bad:
            raise self.error(say("selector.bad_operand", what=bad.says)) from bad
        self.take()
        return value

    def capability(self) -> Capability:
        self.take()
        self.take()
        token = self.peek()
        name = capabilities.canonical(self.key())
        found = self.label(name)
        if found is not None and found.negated:
            raise self.error_at(token, say("selector.bang_in_has"))
        if found is None and not capabilities.is_known(name):
            raise self.error_at(token, capabilities.unknown(name))
        if not self.peek().is_mark(")"):
            raise self.error(say("selector.not_closed"))
        self.take()
        return Capability(name, found.values if found else ())

    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.tokens[self.next]
        self.next += 1
        return token

    def error(self, says: Text) -> SelectorError:
        return self.error_at(self.peek(), says)

    def error_at(self, token: Token, says: Text) -> SelectorError:
        return SelectorError(says, text=self.text, position=token.at)


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


def _shown(token: Token) -> Text | str:
    return f'"{token.text[:40]}"' if token.text else say("selector.the_end")
