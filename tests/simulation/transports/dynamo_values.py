"""DynamoDB's attribute values: how they compare, how large they are and how numbers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

AttributeValue = Mapping[str, Any]
"""One value with its type: `{"S": "text"}`, `{"N": "1.5"}`, `{"B": b"..."}`, `{"M": {...}}`, ..."""

Item = dict[str, AttributeValue]
"""Never changed in place once stored: every write makes a new one, so that readers and snapshots may share it."""

ITEM_BYTES = 400 * 1024
SETS = frozenset({"SS", "NS", "BS"})


def tagged(value: AttributeValue) -> tuple[str, Any]:
    """Type and content of a value."""
    for tag, content in value.items():
        return tag, content
    raise ValueError("attribute value is empty, expected one type with its content")


def comparable(value: AttributeValue) -> tuple[str, Any]:
    """Type and content such that equal values are equal and those of an ordered type are in DynamoDB's order.

    Text orders by code point, which is the order of its UTF-8 bytes.
    """
    tag, content = tagged(value)
    if tag == "N":
        return tag, Decimal(content)
    if tag == "NS":
        return tag, frozenset(map(Decimal, content))
    if tag in SETS:
        return tag, frozenset(map(_plain_bytes, content))
    if tag == "B":
        return tag, bytes(content)
    if tag == "L":
        return tag, [comparable(each) for each in content]
    if tag == "M":
        return tag, {name: comparable(each) for name, each in content.items()}
    return tag, content


def _plain_bytes(member: Any) -> Any:
    return member if isinstance(member, str) else bytes(member)


def item_bytes(item: Mapping[str, AttributeValue]) -> int:
    """Size of an item as DynamoDB counts it: names in UTF-8 and values."""
    return sum(text_bytes(name) + value_bytes(value) for name, value in item.items())


def value_bytes(value: AttributeValue) -> int:
    """Size of one value. Numbers count half a byte per significant digit and two."""
    tag, content = tagged(value)
    if tag == "S":
        return text_bytes(content)
    if tag == "B":
        return len(content)
    if tag == "N":
        return _number_bytes(content)
    if tag in ("L", "M"):
        members = content if tag == "L" else content.values()
        names = 0 if tag == "L" else sum(map(text_bytes, content))
        return 3 + names + sum(1 + value_bytes(each) for each in members)
    if tag in SETS:
        return sum(value_bytes({tag[0]: each}) for each in content)
    return 1


def _number_bytes(text: str) -> int:
    return (len(text.lstrip("-").replace(".", "").strip("0")) + 1) // 2 + 2


def stored_value(value: AttributeValue) -> AttributeValue:
    """The value as DynamoDB keeps it: numbers without exponent and without trailing zeros, and nothing of the sender's
    own types: the wire makes plain text of a `StrEnum`."""
    tag, content = tagged(value)
    if tag == "S":
        return value if type(content) is str else {"S": str.__str__(content)}
    if tag == "B":
        return value if type(content) is bytes else {"B": bytes(content)}
    if tag == "N":
        return value if content.isdigit() and content[0] != "0" else {"N": number_text(Decimal(content))}
    if tag == "NS":
        return {"NS": [number_text(Decimal(each)) for each in content]}
    if tag == "L":
        return {"L": [stored_value(each) for each in content]}
    if tag == "M":
        return {"M": {name: stored_value(each) for name, each in content.items()}}
    return value


def number_text(number: Decimal) -> str:
    """Plain decimal text, the shortest that says the same number."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def text_bytes(text: str) -> int:
    """Length in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
