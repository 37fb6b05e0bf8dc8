"""DynamoDB's update expressions: SET, REMOVE, ADD and DELETE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tests.simulation.transports.dynamo_expressions import Malformed, Operand, Path, Scope, Value
from tests.simulation.transports.dynamo_parsing import Tokens, operand, path
from tests.simulation.transports.dynamo_values import SETS, AttributeValue, Item, number_text, stored_value, tagged

INVALID_PATH = "The document path provided in the update expression is invalid for update"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"
ABSENT = "The provided expression refers to an attribute that does not exist in the item"


@dataclass(frozen=True, slots=True)
class Sum:
    sign: str
    left: Operand
    right: Operand

    def read(self, scope: Scope) -> AttributeValue:
        left, right = _number(self.left, scope), _number(self.right, scope)
        return {"N": number_text(left + right if self.sign == "+" else left - right)}


@dataclass(frozen=True, slots=True)
class IfNotExists:
    path: Path
    otherwise: Operand

    def read(self, scope: Scope) -> AttributeValue:
        found = self.path.read(scope)
        return _present(self.otherwise, scope) if found is None else found


@dataclass(frozen=True, slots=True)
class ListAppend:
    first: Operand
    second: Operand

    def read(self, scope: Scope) -> AttributeValue:
        parts = [_present(each, scope) for each in (self.first, self.second)]
        if any("L" not in part for part in parts):
            raise Malformed(WRONG_TYPE)
        return {"L": [*parts[0]["L"], *parts[1]["L"]]}


def _present(source: Operand, scope: Scope) -> AttributeValue:
    found = source.read(scope)
    if found is None:
        raise Malformed(ABSENT)
    return found


def _number(source: Operand, scope: Scope) -> Decimal:
    found = _present(source, scope)
    if "N" not in found:
        raise Malformed(WRONG_TYPE)
    return Decimal(found["N"])


@dataclass(frozen=True, slots=True)
class Action:
    """One change. `source` is what is set, added or deleted, None for REMOVE."""

    kind: str
    path: Path
    source: Operand | None

    def outcome(self, scope: Scope) -> AttributeValue | None:
        """The new value at the path, None when there is none any more."""
        if self.source is None:
            return None
        found = _present(self.source, scope)
        if self.kind == "SET":
            return stored_value(found)
        return CHANGES[self.kind](self.path.read(scope), stored_value(found))


def _added(before: AttributeValue | None, more: AttributeValue) -> AttributeValue:
    tag, content = tagged(more)
    if tag not in ("N", *SETS) or (before is not None and tag not in before):
        raise Malformed(WRONG_TYPE)
    if before is None:
        return more
    if tag == "N":
        return {"N": number_text(Decimal(before["N"]) + Decimal(content))}
    return {tag: [*before[tag], *(each for each in content if each not in before[tag])]}


def _deleted(before: AttributeValue | None, less: AttributeValue) -> AttributeValue | None:
    tag, content = tagged(less)
    if tag not in SETS or (before is not None and tag not in before):
        raise Malformed(WRONG_TYPE)
    left = [] if before is None else [each for each in before[tag] if each not in content]
    return {tag: left} if left else None


CHANGES: Mapping[str, Callable[[AttributeValue | None, AttributeValue], AttributeValue | None]] = {
    "ADD": _added,
    "DELETE": _deleted,
}
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


@lru_cache(maxsize=4096)
def parsed_update(text: str) -> tuple[Action, ...]:
    """Raises Malformed."""
    tokens = Tokens(text)
    actions: list[Action] = []
    seen: set[str] = set()
    while tokens.next:
        kind = tokens.take().upper()
        if kind not in CLAUSES or kind in seen:
            raise Malformed(f"Syntax error; token: {kind!r}")
        seen.add(kind)
        actions.append(_action(kind, tokens))
        while tokens.skip(","):
            actions.append(_action(kind, tokens))
    if not actions:
        raise Malformed("The expression can not be empty")
    return tuple(actions)


def _action(kind: str, tokens: Tokens) -> Action:
    target = path(tokens)
    if kind == "REMOVE":
        return Action(kind, target, None)
    if kind != "SET":
        return Action(kind, target, Value(tokens.take()))
    tokens.expect("=")
    source = _term(tokens)
    if sign := tokens.skip("+", "-"):
        source = Sum(sign, source, _term(tokens))
    return Action(kind, target, source)


def _term(tokens: Tokens) -> Operand:
    if tokens.next == "if_not_exists":
        tokens.take()
        tokens.expect("(")
        where = path(tokens)
        tokens.expect(",")
        otherwise = _term(tokens)
        tokens.expect(")")
        return IfNotExists(where, otherwise)
    if tokens.next == "list_append":
        tokens.take()
        tokens.expect("(")
        first = _term(tokens)
        tokens.expect(",")
        second = _term(tokens)
        tokens.expect(")")
        return ListAppend(first, second)
    return operand(tokens)


def updated(text: str, scope: Scope, key_names: frozenset[str]) -> Item:
    """The item after the update: every right side is read from the item as it was before. Raises Malformed."""
    actions = parsed_update(text)
    targets = [action.path.resolved(scope) for action in actions]
    _check_targets(targets, key_names)
    outcomes = [action.outcome(scope) for action in actions]
    result: Any = dict(scope.item)
    for target, outcome in zip(targets, outcomes, strict=True):
        result = _placed(result, target, outcome)
    return result  # type: ignore[no-any-return]


def _check_targets(targets: list[tuple[str | int, ...]], key_names: frozenset[str]) -> None:
    for target in targets:
        if target[0] in key_names:
            raise Malformed(f"Cannot update attribute {target[0]}. This attribute is part of the key")
    for position, one in enumerate(targets):
        for other in targets[position + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                raise Malformed("Two document paths overlap with each other; must remove or rewrite one of these paths")


def _placed(members: Any, target: tuple[str | int, ...], outcome: AttributeValue | None) -> Any:
    """A copy of a map's or list's members with the value at `target` set or taken off."""
    step, rest = target[0], target[1:]
    _check_step(members, step)
    if rest:
        there = step < len(members) if isinstance(step, int) else step in members
        if not there:
            raise Malformed(INVALID_PATH)
        tag, content = tagged(members[step])
        if tag not in ("M", "L"):
            raise Malformed(INVALID_PATH)
        outcome = {tag: _placed(content, rest, outcome)}
    return _changed(members, step, outcome)


def _check_step(members: Any, step: str | int) -> None:
    if isinstance(step, int) is not isinstance(members, list):
        raise Malformed(INVALID_PATH)


def _changed(members: Any, step: str | int, outcome: AttributeValue | None) -> Any:
    copied = members.copy()
    if isinstance(step, str):
        if outcome is None:
            copied.pop(step, None)
        else:
            copied[step] = outcome
    elif outcome is None:
        del copied[step : step + 1]
    else:
        # A position beyond the end appends, as DynamoDB does.
        copied[step : step + 1] = [outcome]
    return copied
