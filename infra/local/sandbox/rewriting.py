"""Small changes to a true JSON answer: other values, fields that are gone, rows that come twice or the wrong way round.

Places are dotted paths into the document (`sendStatus.status`); `*` means every element of a list (`fills.*.price`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from infra.local.sandbox.wire import Response

Holder = tuple[Any, Any]


def places(document: Any, path: str) -> Iterator[Holder]:
    """(holder, key) of every place that `path` names and that exists; the last key of an object may be new."""
    first, _, rest = path.partition(".")
    for key in _keys(document, first):
        if not rest:
            yield document, key
        elif isinstance(document, list) or key in document:
            yield from places(document[key], rest)


def _keys(document: Any, name: str) -> list[Any]:
    if isinstance(document, list):
        rows = list(range(len(document)))
        return rows if name == "*" else [row for row in rows if str(row) == name]
    if isinstance(document, dict):
        return list(document) if name == "*" else [name]
    return []


def _each(document: Any, paths: Sequence[str], change: Callable[[Any, Any], None]) -> None:
    for path in paths:
        # From the end, so that removing rows of a list does not move the ones still to come.
        for holder, key in reversed(list(places(document, path))):
            change(holder, key)


def _remove(holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        del holder[key]
    else:
        holder.pop(key, None)


def _repeat(holder: Any, key: Any) -> None:
    holder[key] = [copy for row in holder[key] for copy in (row, deepcopy(row))]


def _reverse(holder: Any, key: Any) -> None:
    holder[key] = holder[key][::-1]


def rewritten(
    real: Response, changes: Mapping[str, Any], removed: Sequence[str], repeated: Sequence[str], turned: Sequence[str]
) -> Response:
    """`real` with its document changed; it must be JSON (ValueError otherwise)."""
    document = json.loads(real.body)
    _each(document, repeated, _repeat)
    _each(document, turned, _reverse)
    for path, value in changes.items():
        for holder, key in list(places(document, path)):
            holder[key] = value
    _each(document, removed, _remove)
    return replace(real, body=json.dumps(document, separators=(",", ":")).encode())
