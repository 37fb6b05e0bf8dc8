"""The parser of DynamoDB's expressions."""

from __future__ import annotations

import re
from functools import lru_cache

from tests.simulation.transports.dynamo_expressions import (
    FUNCTIONS,
    ORDERS,
    And,
    Between,
    Call,
    Comparison,
    Condition,
    Malformed,
    Not,
    OneOf,
    Operand,
    Or,
    Path,
    Size,
    Value,
)

TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),+\-.\[\]])|([:#]?\w+))")


class Tokens:
    """The words and signs of an expression, read one after the other. Keywords are compared in upper case."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if found is None:
                raise Malformed(f"Syntax error; token: {text[at : at + 10]!r}")
            self._words.append(found[1] or found[2])
            at = found.end()
        self._at = 0

    @property
    def next(self) -> str:
        """The word ahead, empty at the end."""
        return self._words[self._at] if self._at < len(self._words) else ""

    def take(self) -> str:
        word = self.next
        if not word:
            raise Malformed("Syntax error; token: <EOF>")
        self._at += 1
        return word

    def skip(self, *words: str) -> str:
        """Take the word ahead if it is one of these, else nothing."""
        return self.take() if self.next.upper() in words else ""

    def expect(self, word: str) -> None:
        if self.take().upper() != word:
            raise Malformed(f"Syntax error; expected {word!r} before {self.next!r}")

    def end(self) -> None:
        if self.next:
            raise Malformed(f"Syntax error; token: {self.next!r}")


def path(tokens: Tokens) -> Path:
    steps: list[str | int] = [tokens.take()]
    while sign := tokens.skip(".", "["):
        steps.append(tokens.take() if sign == "." else int(tokens.take()))
        if sign == "[":
            tokens.expect("]")
    return Path(tuple(steps))


def operand(tokens: Tokens) -> Operand:
    if tokens.next.startswith(":"):
        return Value(tokens.take())
    found = path(tokens)
    if found.steps == ("size",) and tokens.skip("("):
        found = path(tokens)
        tokens.expect(")")
        return Size(found)
    return found


def _disjunction(tokens: Tokens) -> Condition:
    left = _conjunction(tokens)
    while tokens.skip("OR"):
        left = Or(left, _conjunction(tokens))
    return left


def _conjunction(tokens: Tokens) -> Condition:
    left = _negation(tokens)
    while tokens.skip("AND"):
        left = And(left, _negation(tokens))
    return left


def _negation(tokens: Tokens) -> Condition:
    if tokens.skip("NOT"):
        return Not(_negation(tokens))
    if tokens.skip("("):
        inner = _disjunction(tokens)
        tokens.expect(")")
        return inner
    if tokens.next in FUNCTIONS:
        return _call(tokens)
    return _comparison(tokens)


def _call(tokens: Tokens) -> Condition:
    count, function = FUNCTIONS[tokens.take()]
    return Call(function, _list(tokens, count))


def _list(tokens: Tokens, count: int | None = None) -> tuple[Operand, ...]:
    tokens.expect("(")
    members = [operand(tokens)]
    while tokens.skip(","):
        members.append(operand(tokens))
    tokens.expect(")")
    if count not in (None, len(members)):
        raise Malformed(f"Incorrect number of operands for operator or function; number of operands: {len(members)}")
    return tuple(members)


def _comparison(tokens: Tokens) -> Condition:
    left = operand(tokens)
    if tokens.skip("BETWEEN"):
        low = operand(tokens)
        tokens.expect("AND")
        return Between(left, low, operand(tokens))
    if tokens.skip("IN"):
        return OneOf(left, _list(tokens))
    sign = tokens.skip("=", "<>", *ORDERS)
    if not sign:
        raise Malformed(f"Syntax error; token: {tokens.next!r}")
    return Comparison(sign, left, operand(tokens))


@lru_cache(maxsize=4096)
def parsed_condition(text: str) -> Condition:
    """Raises Malformed."""
    tokens = Tokens(text)
    condition = _disjunction(tokens)
    tokens.end()
    return condition
