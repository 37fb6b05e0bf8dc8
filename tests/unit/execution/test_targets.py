"""The ladder of targets: what is placed, what is left to the runner, what is taken off when the position shrinks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, coin, filled, with_state
from trading.execution.plan import target_intent
from trading.execution.targets import TOO_LARGE, target_steps
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, RecordedFill
from trading.model.steps import Cancel, Send
from trading.model.units import Price, Quantity

S = IntentState


def ladder(position: Position, first: Any = 4, second: Any = 4) -> Position:
    """Both targets work at the venue."""
    for purpose, quantity, price in ((Purpose.TARGET_1, first, 102), (Purpose.TARGET_2, second, 105)):
        intent = target_intent(position, purpose, Quantity(quantity), Price(price), NOW)
        position = position.with_intent(replace(intent, state=S.LIVE))
    return position


def shrunk(position: Position, left: Any) -> Position:
    """Somebody else closed the rest, and the fill is known."""
    gone = RecordedFill(
        id="by-hand",
        client_order_id=None,
        opens=False,
        quantity=Quantity(position.quantity - Decimal(left)),
        price=Price(100),
        at=NOW,
    )
    return replace(position, quantity=Quantity(left), fills=(*position.fills, gone))


def sent(position: Position) -> list[OrderIntent]:
    return [each.intent for each in target_steps(position, RULES, NOW) if isinstance(each, Send)]


def cancelled(position: Position) -> list[str]:
    steps = target_steps(position, RULES, NOW)
    return [each.client_order_id for each in steps if isinstance(each, Cancel) and each.why == TOO_LARGE]


@pytest.mark.parametrize(
    ("left", "gone"), [(10, []), (8, []), (7, [Purpose.TARGET_2]), (3, [Purpose.TARGET_2, Purpose.TARGET_1])]
)
def test_targets_too_large_for_the_rest_are_taken_off(left: int, gone: list[Purpose]) -> None:
    position = shrunk(ladder(filled()), left)
    intents = [position.intent(each) for each in gone]
    assert cancelled(position) == [each.client_order_id for each in intents if each]


def test_target_being_taken_off_is_not_asked_again() -> None:
    position = with_state(shrunk(ladder(filled()), 6), Purpose.TARGET_2, S.CANCEL_PENDING)
    first = position.intent(Purpose.TARGET_1)
    assert first is not None
    assert cancelled(position) == [first.client_order_id]


def test_late_fill_takes_no_target_off() -> None:
    drifting = replace(ladder(filled()), quantity=Quantity(6))
    assert target_steps(drifting, RULES, NOW) == []


def test_owner_who_added_by_hand_hinders_no_trimming() -> None:
    mixed = replace(shrunk(ladder(filled()), 4), quantity=Quantity(6))
    second = mixed.intent(Purpose.TARGET_2)
    assert second is not None
    assert cancelled(mixed) == [second.client_order_id]


def test_target_taken_off_comes_back_smaller() -> None:
    position = shrunk(ladder(filled()), 6)
    position = with_state(position, Purpose.TARGET_2, S.CANCELLED, reason=TOO_LARGE)
    assert [(each.purpose, each.generation, each.quantity) for each in sent(position)] == [(Purpose.TARGET_2, 2, 2)]


def test_target_comes_back_without_what_it_sold() -> None:
    position = with_state(ladder(filled()), Purpose.TARGET_1, S.CANCELLED, reason=TOO_LARGE, filled=Quantity(3))
    assert [each.quantity for each in sent(position)] == [1]


@pytest.mark.parametrize("reason", ["placed", "venue: cancelled", "entry expired"])
def test_target_that_others_took_off_stays_off(reason: str) -> None:
    assert sent(with_state(ladder(filled()), Purpose.TARGET_1, S.CANCELLED, reason=reason)) == []


@pytest.mark.parametrize(("reason", "again"), [("postWouldExecute", 0), ("invalidPrice", 0), ("apiLimitExceeded", 1)])
def test_refused_target_returns_only_when_it_was_for_now(reason: str, again: int) -> None:
    assert len(sent(with_state(ladder(filled()), Purpose.TARGET_1, S.REJECTED, reason=reason))) == again


def test_target_in_doubt_is_sent_again_once() -> None:
    doubtful = with_state(ladder(filled()), Purpose.TARGET_1, S.UNKNOWN)
    assert sent(doubtful) == [doubtful.intent(Purpose.TARGET_1)]
    assert sent(with_state(doubtful, Purpose.TARGET_1, S.UNKNOWN, resent_at=NOW)) == []


@pytest.mark.parametrize(
    ("held", "minimum", "targets"),
    [("1", "0.4", ["0.4"]), ("1", "0.5", []), ("2", "0.4", ["0.8", "0.8"]), ("0.9", "0.3", ["0.36"])],
)
def test_dust_stays_with_the_runner(held: str, minimum: str, targets: list[str]) -> None:
    fills = (replace(filled().fills[0], quantity=Quantity(held)),)
    position = replace(filled(), market=coin(minimum=Quantity(minimum)), quantity=Quantity(held), fills=fills)
    found = sent(position)
    assert [each.quantity for each in found] == [Decimal(each) for each in targets]
    left = Decimal(held) - sum(each.quantity for each in found)
    assert left >= Decimal(minimum)
