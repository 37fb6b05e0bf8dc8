"""The venue's own record of how long a position stood without a full reduce-only stop."""

import json
from dataclasses import replace

import pytest

from tests.unit.matching.scripted import COIN, ScriptedFeed, at, d, engine, market, order, placed
from trading.errors import InvalidInput
from trading.matching import MatchingEngine, books_from_json, candle_waypoints, to_json


def test_position_with_stop_from_the_start_is_never_naked() -> None:
    venue = engine((0, 100), (10, 99))
    placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    placed(venue.send(order("mkt", "buy", 2)))
    venue.advance(at(10))
    assert venue.naked_seconds_max() == 0


def test_time_without_stop_counts_until_the_stop() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 2)))
    venue.advance(at(1.5))
    assert venue.naked_seconds() == d(90)
    placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    venue.advance(at(10))
    assert (venue.naked_seconds(), venue.naked_seconds_max()) == (d(0), d(90))


def test_stop_for_part_of_the_position_does_not_cover() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True)))
    placed(venue.send(order("mkt", "buy", 2)))
    venue.advance(at(1))
    assert venue.naked_seconds_max() == d(60)


@pytest.mark.parametrize(
    ("kind", "side", "reduce"), [("take_profit", "sell", True), ("stp", "sell", False), ("stp", "buy", True)]
)
def test_only_a_closing_reduce_only_stop_covers(kind: str, side: str, reduce: bool) -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("mkt", "buy", 2)))
    price = 95 if (kind, side) == ("stp", "sell") else 105
    placed(venue.send(order(kind, side, 2, price, reduce_only=reduce)))
    venue.advance(at(1))
    assert venue.naked_seconds() == d(60)


def test_replacing_a_stop_new_first_leaves_no_gap() -> None:
    venue = engine((0, 100), (10, 100))
    old = placed(venue.send(order("stp", "sell", 2, 95, reduce_only=True)))
    placed(venue.send(order("mkt", "buy", 2)))
    venue.advance(at(1))
    placed(venue.send(order("stp", "sell", 2, 96, reduce_only=True)))
    venue.cancel(old)
    venue.advance(at(10))
    assert venue.naked_seconds_max() == 0


def test_books_survive_a_json_round_trip() -> None:
    venue = engine((0, 100), (90, 94), (200, 104), funding="0.003")
    placed(venue.send(order("stp", "sell", 4, 95, reduce_only=True, client_order_id="stop")))
    placed(venue.send(order("lmt", "buy", 4, 99)))
    placed(venue.send(order("lmt", "buy", 1, 80)))
    venue.advance(at(100))
    assert books_from_json(json.loads(json.dumps(to_json(venue.books)))) == venue.books


def test_restored_engine_goes_on_exactly_the_same() -> None:
    path = ((0, 100), (90, 98), (200, 104), (300, 90))
    venue = engine(*path, funding="0.003")
    placed(venue.send(order("stp", "sell", 4, 95, reduce_only=True)))
    placed(venue.send(order("lmt", "buy", 4, 99)))
    venue.advance(at(100))
    saved = json.loads(json.dumps(to_json(venue.books)))
    twin = MatchingEngine(books_from_json(saved), {COIN: market()}, ScriptedFeed({COIN: path}, "0.003"))
    for running in (venue, twin):
        running.advance(at(300))
        placed(running.send(order("mkt", "sell", 1)))
    assert twin.books == venue.books


def test_foreign_state_is_refused_with_a_sentence() -> None:
    saved = to_json(engine((0, 100), (10, 100)).books)
    with pytest.raises(InvalidInput, match="does not read back"):
        books_from_json({**saved, "balance": "ten"})
    with pytest.raises(InvalidInput, match="does not read back"):
        books_from_json([])


def test_advancing_in_small_steps_changes_no_fill() -> None:
    path = ((0, 100), (30, 98), (60, 103), (60, 101), (90, 94), (120, 99))
    whole, steps = engine(*path, funding="0.002"), engine(*path, funding="0.002")
    for venue in (whole, steps):
        placed(venue.send(order("stp", "sell", 4, 95, reduce_only=True)))
        placed(venue.send(order("lmt", "buy", 4, 99)))
        placed(venue.send(order("lmt", "buy", 2, 97)))
    whole.advance(at(120))
    for minute in range(1, 121):
        steps.advance(at(minute))
    # interpolated times are cut to milliseconds, so the comparison is of everything else
    assert [replace(row, time=at(0)) for row in whole.books.fills] == [
        replace(row, time=at(0), mark=other.mark)
        for row, other in zip(steps.books.fills, whole.books.fills, strict=True)
    ]
    assert abs(whole.equity() - steps.equity()) < d("0.000001")


@pytest.mark.parametrize(
    ("candle", "order_"),
    [((10, 14, 9, 12), (10, 9, 14, 12)), ((10, 14, 9, 10), (10, 9, 14, 10)), ((12, 14, 9, 10), (12, 14, 9, 10))],
)
def test_candle_visits_its_extremes_in_declared_order(candle: tuple[float, ...], order_: tuple[float, ...]) -> None:
    assert candle_waypoints(candle) == order_
