"""DynamoDB's condition expressions as nodes that evaluate themselves against an item."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tests.simulation.transports.dynamo_values import SETS, AttributeValue, comparable, tagged


class Malformed(ValueError):
    """An expression that DynamoDB refuses; the text is its message."""


class Scope(NamedTuple):
    """What an expression is evaluated against: the item (empty when there is none) and its placeholders."""

    item: Mapping[str, AttributeValue]
    names: Mapping[str, str]
    values: Mapping[str, AttributeValue]


class Operand(Protocol):
    def read(self, scope: Scope) -> AttributeValue | None: ...


class Condition(Protocol):
    def holds(self, scope: Scope) -> bool: ...


@dataclass(frozen=True, slots=True)
class Value:
    name: str

    def read(self, scope: Scope) -> AttributeValue:
        try:
            return scope.values[self.name]
        except KeyError:
            raise Malformed(f"An expression attribute value used in expression is not defined: {self.name}") from None


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: the attribute's name or placeholder, then names and list positions inside it."""

    steps: tuple[str | int, ...]

    def resolved(self, scope: Scope) -> tuple[str | int, ...]:
        """The path with real names."""
        return tuple(_named(step, scope.names) if isinstance(step, str) else step for step in self.steps)

    def read(self, scope: Scope) -> AttributeValue | None:
        steps = self.resolved(scope)
        found = scope.item.get(str(steps[0]))
        for step in steps[1:]:
            found = None if found is None else _inside(found, step)
        return found


def _named(step: str, names: Mapping[str, str]) -> str:
    if step[0] != "#":
        return step
    try:
        return names[step]
    except KeyError:
        raise Malformed(f"An expression attribute name used in the document path is not defined: {step}") from None


def _inside(value: AttributeValue, step: str | int) -> AttributeValue | None:
    tag, content = tagged(value)
    if tag == "M" and isinstance(step, str):
        return content.get(step)  # type: ignore[no-any-return]
    if tag == "L" and isinstance(step, int) and step < len(content):
        return content[step]  # type: ignore[no-any-return]
    return None


@dataclass(frozen=True, slots=True)
class Size:
    path: Path

    def read(self, scope: Scope) -> AttributeValue | None:
        found = self.path.read(scope)
        if found is None:
            return None
        tag, content = tagged(found)
        return {"N": str(len(content))} if tag in ("S", "B", "L", "M", *SETS) else None


ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERED = frozenset({"S", "N", "B"})


@dataclass(frozen=True, slots=True)
class Comparison:
    sign: str
    left: Operand
    right: Operand

    def holds(self, scope: Scope) -> bool:
        left, right = self.left.read(scope), self.right.read(scope)
        # An attribute that is not there equals nothing, so `<>` holds and everything else does not.
        if left is None or right is None:
            return self.sign == "<>"
        if self.sign in ORDERS:
            return _in_order(self.sign, left, right)
        return (comparable(left) == comparable(right)) is (self.sign == "=")


def _in_order(sign: str, left: AttributeValue, right: AttributeValue) -> bool:
    (tag, one), (other_tag, other) = comparable(left), comparable(right)
    return tag == other_tag and tag in ORDERED and ORDERS[sign](one, other)


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand

    def holds(self, scope: Scope) -> bool:
        found, low, high = self.operand.read(scope), self.low.read(scope), self.high.read(scope)
        if found is None or low is None or high is None:
            return False
        return _in_order(">=", found, low) and _in_order("<=", found, high)


@dataclass(frozen=True, slots=True)
class OneOf:
    operand: Operand
    choices: tuple[Operand, ...]

    def holds(self, scope: Scope) -> bool:
        return any(Comparison("=", self.operand, choice).holds(scope) for choice in self.choices)


@dataclass(frozen=True, slots=True)
class And:
    left: Condition
    right: Condition

    def holds(self, scope: Scope) -> bool:
        return self.left.holds(scope) and self.right.holds(scope)


@dataclass(frozen=True, slots=True)
class Or:
    left: Condition
    right: Condition

    def holds(self, scope: Scope) -> bool:
        return self.left.holds(scope) or self.right.holds(scope)


@dataclass(frozen=True, slots=True)
class Not:
    inner: Condition

    def holds(self, scope: Scope) -> bool:
        return not self.inner.holds(scope)


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is true or false."""

    function: Callable[..., bool]
    arguments: tuple[Operand, ...]

    def holds(self, scope: Scope) -> bool:
        return self.function(*(argument.read(scope) for argument in self.arguments))


def _begins_with(found: AttributeValue | None, prefix: AttributeValue | None) -> bool:
    if found is None or prefix is None:
        return False
    (tag, content), (prefix_tag, start) = comparable(found), comparable(prefix)
    return tag == prefix_tag and tag in ("S", "B") and content.startswith(start)


def _contains(found: AttributeValue | None, wanted: AttributeValue | None) -> bool:
    if found is None or wanted is None:
        return False
    tag, content = comparable(found)
    wanted_tag, member = comparable(wanted)
    if tag == "L":
        return (wanted_tag, member) in content
    return tag in (wanted_tag, f"{wanted_tag}S") and tag in ("S", "B", *SETS) and member in content


def _is_type(found: AttributeValue | None, tag: AttributeValue | None) -> bool:
    return found is not None and tag is not None and tagged(found)[0] == tagged(tag)[1]


FUNCTIONS: Mapping[str, tuple[int, Callable[..., bool]]] = {
    "attribute_exists": (1, lambda found: found is not None),
    "attribute_not_exists": (1, lambda found: found is None),
    "attribute_type": (2, _is_type),
    "begins_with": (2, _begins_with),
    "contains": (2, _contains),
}
