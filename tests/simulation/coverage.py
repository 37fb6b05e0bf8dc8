"""What a run really went through: edges of the life cycles, discrepancies found, repairs made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.kernel import Process
from trading.model.orders import INTENT_TRANSITIONS, IntentState, OrderIntent
from trading.model.positions import POSITION_TRANSITIONS, Position


def every_edge() -> list[str]:
    """All listed edges of both tables, in the words in which they are counted."""
    intents = [f"intent {a} -> {b}" for a, targets in INTENT_TRANSITIONS.items() for b in sorted(targets)]
    return intents + [f"position {a} -> {b}" for a, targets in POSITION_TRANSITIONS.items() for b in sorted(targets)]


@contextmanager
def counted_edges(counts: Counter[str]) -> Iterator[None]:
    """Count every move along an edge while this holds; nothing else changes."""
    intent_moved, position_moved = OrderIntent.moved, Position.moved

    def of_intent(intent: OrderIntent, state: IntentState, **changes: object) -> OrderIntent:
        moved = intent_moved(intent, state, **changes)
        if state is not intent.state:
            counts[f"intent {intent.state} -> {state}"] += 1
            counts[f"{'entry' if not intent.reduce_only else 'protective'} {intent.state} -> {state}"] += 1
        return moved

    def of_position(position: Position, state: Any, **changes: object) -> Position:
        moved = position_moved(position, state, **changes)
        if state is not position.state:
            counts[f"position {position.state} -> {state}"] += 1
        return moved

    OrderIntent.moved, Position.moved = of_intent, of_position  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        OrderIntent.moved, Position.moved = intent_moved, position_moved  # type: ignore[method-assign]


def count_answers(counts: Counter[str], process: Process) -> None:
    """Discrepancies, repairs and bookings as both guards report them."""
    answer = process.answer
    if process.failure is not None or not isinstance(answer, dict):
        return
    for text in answer.get("discrepancies", ()):
        counts[f"discrepancy {text.split(' ', 1)[0]}"] += 1
    for text in answer.get("repaired", ()):
        counts[f"repaired {'orphan' if 'orphan' in text else 'stop'}"] += 1
    for text in answer.get("booked", ()):
        counts["booked without a trade" if "without a trade" in text else "booked trade"] += 1
    for text in answer.get("rejections", ()):
        counts[f"rejected {text.rsplit(': ', 1)[-1]}"] += 1
    for name, count in answer.get("fired", {}).items():
        counts[f"exit {name}"] += count
    for name, count in answer.get("limits", {}).items():
        counts[f"limit {name}"] += count
