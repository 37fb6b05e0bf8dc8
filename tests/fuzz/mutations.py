"""Mutations of one text: of its JSON tree, of its bytes and of the HTTP status that comes with it.

Everything is drawn from the `random.Random` that is passed in. The result says in words what was done.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.fuzz.trees import Node, Pairs, Raw, nodes, read_tree, write_tree

STATUSES = (200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504, 520, 524, 599)
PAGE = b"<html><head><title>503</title></head><body>Kraken is under maintenance</body></html>"
NUMBERS = (
    "0", "-0", "-1", "0.0", "1e-320", "1e400", "-1e400", "1e999999999999999999999", "1e40", "1e41", "1e-41", "1E+5",
    "9223372036854775808", "18446744073709551616", "1" + "0" * 60, "1" * 5000, "0.1e-7", "123456789.123456789012345",
    "NaN", "Infinity", "-Infinity", "2147483648", "-62135596800001", "253402300800000",
)  # fmt: skip
TEXTS = (
    "", " ", "NaN", "Infinity", "-inf", "1e5", "1_000", "٣", "²", "0x10", "null", "true", "None", "long", "SHORT",
    "buy", "sell", "\u0000", "\ud800", "\u202edlot", "🦑" * 40, "x" * 20_000, "pf_xbtusd", "PF_XBTUSD\n",
    "'; DROP TABLE", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "9999-12-31T23:59:59.999Z",
    "2026-02-30T00:00:00Z", "2026-11-22", "2026-11-22T11:00:00", "-1", "1e400", "9" * 400,
    "2026-11-22T11:00:00.123456789Z", "20261122T110000Z",
)  # fmt: skip
DEPTHS = (3, 60, 900, 1_500, 30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutated:
    """What is given instead of the real thing. `status` matters only where HTTP is spoken."""

    body: bytes
    note: str
    status: int = 200


def mutate(rng: random.Random, body: bytes, *, http: bool = False) -> Mutated:
    """One to three mutations of a body. Most keep it JSON, because that reaches furthest."""
    found = Mutated(body=body, note="")
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        roll = rng.random()
        if http and roll < 0.06:
            status = rng.choice(STATUSES)
            found = replace(found, status=status, note=_and(found.note, f"status {status}"))
        elif roll < 0.16:
            found = _of_bytes(rng, found)
        else:
            found = _of_tree(rng, found)
    return found


def _and(before: str, note: str) -> str:
    return f"{before}; {note}" if before else note


def _of_bytes(rng: random.Random, found: Mutated) -> Mutated:
    note, change = rng.choice(BYTE_MUTATIONS)
    return replace(found, body=change(rng, found.body), note=_and(found.note, note))


def _of_tree(rng: random.Random, found: Mutated) -> Mutated:
    """Where the body is no JSON (any more), of its bytes instead."""
    tree = read_tree(found.body)
    if tree is None:
        return _of_bytes(rng, found)
    places = list(nodes(tree))
    node = rng.choice(places)
    note, change = rng.choice(TREE_MUTATIONS)
    changed = change(rng, tree, node)
    if changed is None:
        note, changed = "value", _value(rng, tree, node)
    return replace(found, body=write_tree(changed), note=_and(found.note, f"{note} at {node.path}"))


# of bytes


def _cut(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _flip(rng: random.Random, body: bytes) -> bytes:
    changed = bytearray(body or b"{}")
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(rng: random.Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.randbytes(rng.choice((1, 2, 4, 50))) + body[at:]


def _removed(rng: random.Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + body[at + rng.choice((1, 1, 2, 5, 40)) :]


def _moved(rng: random.Random, body: bytes) -> bytes:
    first, second = sorted((rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)))
    return body[second:] + body[first:second] + body[:first]


def _deep(rng: random.Random) -> bytes:
    depth = rng.choice(DEPTHS)
    return rng.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth))


ByteMutation = tuple[str, Callable[[random.Random, bytes], bytes]]
BYTE_MUTATIONS: tuple[ByteMutation, ...] = (
    ("cut", _cut),
    ("flipped bytes", _flip),
    ("inserted bytes", _insert),
    ("removed bytes", _removed),
    ("moved bytes", _moved),
    ("twice", lambda _, body: body + body),
    ("web page", lambda _, __: PAGE),
    ("web page behind", lambda _, body: body + PAGE),
    ("empty", lambda _, __: b""),
    ("blank", lambda _, __: b" \n\t "),
    ("mark in front", lambda _, body: b"\xef\xbb\xbf" + body),
    ("utf-16", lambda _, body: body.decode("utf-8", errors="replace").encode("utf-16")),
    ("garbage", lambda rng, _: rng.randbytes(rng.choice((1, 16, 400)))),
    ("deep", lambda rng, _: _deep(rng)),
    ("in quotes", lambda _, body: json.dumps(body.decode("utf-8", errors="replace")).encode()),
    ("in a list", lambda _, body: b"[" + body + b"]"),
)


# of the tree


def _value(rng: random.Random, tree: Any, node: Node) -> Any:
    return node.replaced(tree, _any_value(rng))


def _any_value(rng: random.Random) -> Any:
    return rng.choice(
        (
            lambda: None,
            lambda: True,
            lambda: False,
            lambda: [],
            lambda: Pairs(),
            lambda: Raw(rng.choice(NUMBERS)),
            lambda: Raw(rng.choice(NUMBERS)),
            lambda: rng.choice(NUMBERS),
            lambda: rng.choice(TEXTS),
            lambda: rng.choice(TEXTS),
            lambda: [rng.choice(TEXTS), None],
            lambda: Pairs([("a", rng.choice(TEXTS))]),
            lambda: Raw(_deep(rng).decode()),
        )
    )()


def _dropped(rng: random.Random, tree: Any, node: Node) -> Any:
    return node.removed(tree) if node.path else None


def _renamed(rng: random.Random, tree: Any, node: Node) -> Any:
    if not isinstance(node.value, Pairs) or not node.value:
        return None
    index = rng.randrange(len(node.value))
    key, value = node.value[index]
    name = rng.choice((key.upper(), key.lower(), key + "_", "", key[:-1], "__proto__", "\u0000", key.swapcase()))
    return node.replaced(tree, Pairs([*node.value[:index], (name, value), *node.value[index + 1 :]]))


def _doubled(rng: random.Random, tree: Any, node: Node) -> Any:
    """A key that comes twice, the second time with another value; a row that comes twice."""
    if isinstance(node.value, Pairs) and node.value:
        key, value = rng.choice(node.value)
        again = (key, rng.choice((value, _any_value(rng))))
        return node.replaced(tree, Pairs([*node.value, again] if rng.random() < 0.5 else [again, *node.value]))
    if isinstance(node.value, list) and node.value:
        return node.replaced(tree, [*node.value, rng.choice(node.value)])
    return None


def _swapped(rng: random.Random, tree: Any, node: Node) -> Any:
    """Two values of one object or list change places."""
    if not isinstance(node.value, list) or len(node.value) < 2:
        return None
    first, second = rng.sample(range(len(node.value)), 2)
    changed = list(node.value)
    if isinstance(node.value, Pairs):
        changed[first], changed[second] = (
            (changed[first][0], changed[second][1]),
            (changed[second][0], changed[first][1]),
        )
        return node.replaced(tree, Pairs(changed))
    changed[first], changed[second] = changed[second], changed[first]
    return node.replaced(tree, changed)


def _emptied(rng: random.Random, tree: Any, node: Node) -> Any:
    if isinstance(node.value, Pairs):
        return node.replaced(tree, Pairs())
    return node.replaced(tree, []) if isinstance(node.value, list) else None


def _as_text(rng: random.Random, tree: Any, node: Node) -> Any:
    return node.replaced(tree, str(node.value)) if isinstance(node.value, Raw) else None


def _scaled(rng: random.Random, tree: Any, node: Node) -> Any:
    """A number that stays one: another size or sign."""
    if not isinstance(node.value, Raw):
        return None
    return node.replaced(tree, Raw(rng.choice(("-" + node.value.lstrip("-"), node.value + "e9", node.value + "e-9"))))


def _grafted(rng: random.Random, tree: Any, node: Node) -> Any:
    """A part of the same body in another place."""
    return node.replaced(tree, rng.choice(list(nodes(tree))).value)


TreeMutation = tuple[str, Callable[[random.Random, Any, Node], Any]]
TREE_MUTATIONS: tuple[TreeMutation, ...] = (
    ("value", _value),
    ("value", _value),
    ("dropped", _dropped),
    ("renamed key", _renamed),
    ("doubled", _doubled),
    ("swapped", _swapped),
    ("emptied", _emptied),
    ("number as text", _as_text),
    ("number scaled", _scaled),
    ("grafted", _grafted),
)
