"""Rows that carry a name, read one by one: what cannot be read is named with the reason, never dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

RowType = TypeVar("RowType", bound=BaseModel)

SHOWN_CHARACTERS = 60
NAMELESS = "row "
"""Begins what a row without a name is called."""


def named_rows(
    rows: Sequence[dict[str, object]], model: type[RowType], name: str
) -> tuple[list[RowType], dict[str, str]]:
    """The valid rows, and by name why each other one is not; `name` is the field that names a row.

    A name that comes twice is refused altogether: which of the two would count is not ours to guess. Names differ only
    by more than their case; a row without one is called by its number.
    """
    times = Counter(str(row.get(name)).upper() for row in rows)
    valid, refused = [], {}
    for number, row in enumerate(rows):
        called = row.get(name)
        if not isinstance(called, str) or not called or called != called.strip():
            refused[f"{NAMELESS}{number}"] = f"{name} is {_shown(called)}: expected a name"
            continue
        if times[called.upper()] > 1:
            refused[called] = f"it is listed {times[called.upper()]} times"
            continue
        try:
            valid.append(model.model_validate(row))
        except ValidationError as error:
            refused[called] = flaw(error)
    return valid, refused


def flaw(error: ValidationError) -> str:
    """The first field that is wrong, what it holds and what was expected of it."""
    problem = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where} is {_shown(problem['input'])}: {problem['msg'].removeprefix('Value error, ')}"


def _shown(value: object) -> str:
    # Numbers arrive as exact decimals; their digits say more than Python's name for them.
    text = repr(value) if isinstance(value, str | None) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
