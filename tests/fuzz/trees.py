"""JSON as a tree that keeps what JSON texts can say and Python values cannot: the same key twice, any digits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEPTH_MAXIMUM = 200


class Pairs(list[tuple[str, Any]]):
    """An object as its pairs in order; a key may come twice."""


class Raw(str):
    """A number, or any other text that is written as it stands."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a tree: the positions that lead to it, and what stands there."""

    path: tuple[int, ...]
    value: Any

    def replaced(self, tree: Any, value: Any) -> Any:
        return _replaced(tree, self.path, value)

    def removed(self, tree: Any) -> Any:
        return _removed(tree, self.path)


def read_tree(body: bytes) -> Any | None:
    """None when it is no JSON object or list that Python can read."""
    try:
        tree = json.loads(body, object_pairs_hook=Pairs, parse_float=Raw, parse_int=Raw, parse_constant=Raw)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, list) and not _too_deep(body, tree) else None


def _too_deep(body: bytes, tree: Any) -> bool:
    """Deeper than can be walked here in any caller's stack, so that the same number always gives the same case."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAXIMUM:
        return False
    level, depth = [tree], 0
    while level and depth <= DEPTH_MAXIMUM:
        inner = [value for each in level for value in ((pair[1] for pair in each) if isinstance(each, Pairs) else each)]
        level, depth = [each for each in inner if isinstance(each, list)], depth + 1
    return depth > DEPTH_MAXIMUM


def write_tree(tree: Any) -> bytes:
    parts: list[str] = []
    _write(tree, parts)
    return "".join(parts).encode("utf-8", errors="surrogatepass")


def nodes(tree: Any, path: tuple[int, ...] = ()) -> Iterator[Node]:
    """Every place of the tree, the whole first."""
    yield Node(path, tree)
    if isinstance(tree, Pairs):
        for index, (_, value) in enumerate(tree):
            yield from nodes(value, (*path, index))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from nodes(value, (*path, index))


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, Raw):
        parts.append(value)
    elif isinstance(value, Pairs):
        parts.append("{")
        for index, (key, inner) in enumerate(value):
            parts.append(f"{',' if index else ''}{json.dumps(key)}:")
            _write(inner, parts)
        parts.append("}")
    elif isinstance(value, list):
        parts.append("[")
        for index, inner in enumerate(value):
            parts.append("," if index else "")
            _write(inner, parts)
        parts.append("]")
    else:
        parts.append(json.dumps(value))


def _replaced(tree: Any, path: tuple[int, ...], value: Any) -> Any:
    if not path:
        return value
    index, rest = path[0], path[1:]
    if isinstance(tree, Pairs):
        changed = [*tree]
        changed[index] = (tree[index][0], _replaced(tree[index][1], rest, value))
        return Pairs(changed)
    return [*tree[:index], _replaced(tree[index], rest, value), *tree[index + 1 :]]


def _removed(tree: Any, path: tuple[int, ...]) -> Any:
    if len(path) > 1:
        inner = tree[path[0]][1] if isinstance(tree, Pairs) else tree[path[0]]
        return _replaced(tree, path[:1], _removed(inner, path[1:]))
    left = [*tree[: path[0]], *tree[path[0] + 1 :]]
    return Pairs(left) if isinstance(tree, Pairs) else left
