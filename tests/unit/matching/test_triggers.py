"""Stops and take-profits: signal, direction, order id, slip, activation while flat."""

import pytest

from tests.unit.matching.scripted import COIN, at, d, engine, fills, market, order, placed, position
from trading.matching import EditRequest, Liquidity, OrderState, Reason, Switches, TriggerSignal


def test_stop_fires_on_mark_and_keeps_its_order_id() -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("mkt", "buy", 2)))
    stop_id = placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    venue.advance(at(10))
    assert position(venue) == 0
    assert venue.books.fills[-1].order_id == stop_id
    assert venue.books.fills[-1].time == at(5)


def test_stop_slips_to_the_price_after_a_jump() -> None:
    venue = engine((0, 100), (10, 100), (10, 90), (20, 90))
    placed(venue.send(order("mkt", "buy", 2)))
    placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    venue.advance(at(20))
    assert fills(venue)[-1] == ("sell", d(2), d("89.9"), "taker")


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "target", "fires"),
    [
        ("stp", "sell", 95, 94, True),
        ("stp", "buy", 105, 106, True),
        ("take_profit", "sell", 105, 106, True),
        ("take_profit", "buy", 95, 94, True),
        ("stp", "sell", 95, 106, False),
        ("take_profit", "sell", 105, 94, False),
    ],
)
def test_trigger_direction_follows_type_and_side(
    kind: str, side: str, trigger: float, target: float, fires: bool
) -> None:
    venue = engine((0, 100), (10, target))
    placed(venue.send(order("mkt", "sell" if side == "buy" else "buy", 1)))
    placed(venue.send(order(kind, side, 1, trigger, reduce_only=True)))
    venue.advance(at(10))
    assert (position(venue) == 0) is fires


@pytest.mark.parametrize(("signal", "fired"), [("mark", True), ("last", True), ("index", False)])
def test_trigger_watches_only_its_own_signal(signal: str, fired: bool) -> None:
    venue = engine((0, 100, 100), (10, 94, 96))
    placed(venue.send(order("mkt", "buy", 1)))
    placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True, trigger_signal=TriggerSignal(signal))))
    venue.advance(at(10))
    assert (position(venue) == 0) is fired


def test_stop_while_flat_is_accepted_by_default() -> None:
    venue = engine((0, 100), (10, 100))
    order_id = placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True)))
    assert venue.books.live[order_id].state is OrderState.TRIGGER


def test_stop_while_flat_is_refused_by_switch() -> None:
    venue = engine((0, 100), (10, 100), switches=Switches(accept_stop_when_flat=False))
    assert venue.send(order("stp", "sell", 1, 95, reduce_only=True)).status == "wouldNotReducePosition"
    assert venue.books.live == {}


def test_stop_that_fires_while_flat_fails_without_opening() -> None:
    venue = engine((0, 100), (10, 90))
    order_id = placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True)))
    venue.advance(at(10))
    assert position(venue) == 0
    assert venue.books.closed[order_id].state is OrderState.ACTIVATION_FAILED
    assert venue.books.closed[order_id].reason is Reason.WOULD_NOT_REDUCE


def test_stop_without_reduce_only_opens_a_position() -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("stp", "sell", 1, 95)))
    venue.advance(at(10))
    assert position(venue) == d(-1)


def test_trigger_with_limit_rests_when_price_is_gone() -> None:
    venue = engine((0, 100), (10, 100), (10, 90), (20, 90))
    placed(venue.send(order("mkt", "buy", 1)))
    stop_id = placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True, limit_price=d(94))))
    venue.advance(at(20))
    assert position(venue) == d(1)
    assert venue.books.live[stop_id].state is OrderState.RESTING


def test_stop_beyond_its_price_fires_at_once() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 1)))
    placed(venue.send(order("stp", "sell", 1, 101, reduce_only=True)))
    assert position(venue) == 0


def test_stop_larger_than_the_book_leaves_a_rest() -> None:
    venue = engine((0, 100), (10, 90), listed=market(liquidity=Liquidity(half_spread=d(0), level_size=d(1))))
    for _ in range(2):
        placed(venue.send(order("mkt", "buy", 8)))
    placed(venue.send(order("stp", "sell", 16, 95, reduce_only=True)))
    venue.advance(at(10))
    # nine levels of one unit lie within 1 % of the last price at activation
    assert position(venue) == d(7)
    assert venue.books.orders_of(COIN) == []


def test_edited_stop_fires_at_its_new_price() -> None:
    venue = engine((0, 100), (10, 90))
    placed(venue.send(order("mkt", "buy", 1)))
    stop_id = placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True)))
    assert venue.edit(EditRequest(order_id=stop_id, stop_price=d(98))).status == "edited"
    venue.advance(at(10))
    assert venue.books.fills[-1].time == at(2)
