"""What a run over 300 coins asks of DynamoDB: its time limit is 300 s, and a request takes some milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from functions.maintain_records.maintain import maintain, tell
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import HOUR, coins, counted_requests, records_of
from tests.unit.control.records import NOW, decision, universe
from trading.model.candles import Candle, CandleSeries
from trading.model.times import Timeframe, to_text

COINS = coins(300)
QUIET, SUMMARY, LOOKING_BACK = 35, 65, 60
"""Requests of a run that finds everything; on top of it for the day's summary; and for what the decisions of coins
are made from, with the bars in which their last ones are looked for."""


@pytest.fixture
def large(world: World) -> World:
    world.market.save_universe(universe(*COINS), NOW, world.market.universe())
    for timeframe in Timeframe:
        opened = int((timeframe.floor(NOW) - timeframe.length).timestamp())
        bar = CandleSeries(timeframe, [Candle(open_time=opened, open=1, high=2, low=1, close=2, volume=3)])
        world.market.add({(coin, timeframe): bar for coin in COINS}, NOW)
    remember(world, NOW)
    return world


def remember(world: World, covers_from: datetime) -> None:
    """An earlier run."""
    proof = {"covers_from": to_text(covers_from), "watermark": to_text(NOW)}
    world.control.record_run("maintain_records", NOW, proof)


def requests_of(world: World) -> int:
    now = NOW + HOUR + timedelta(minutes=40)
    records = records_of(world, now)
    with counted_requests() as sent:
        report = maintain(records, now)
        world.control.record_run("maintain_records", now, tell(records, report, world.alerts))
    assert report.coverage.after_pct == 100.0
    return sum(sent.values())


def decide_all(world: World, *bars: datetime) -> None:
    for bar in bars:
        world.decisions.add([decision(coin, bar) for coin in COINS])


def test_quiet_run_costs_a_few_dozen_requests(large: World) -> None:
    decide_all(large, NOW, NOW + HOUR)
    assert requests_of(large) <= QUIET


def test_first_run_of_a_day_costs_its_hours(large: World) -> None:
    decide_all(large, NOW, NOW + HOUR)
    remember(large, NOW - 24 * HOUR)
    assert requests_of(large) <= QUIET + SUMMARY


def test_lost_bar_costs_one_write_a_coin(large: World) -> None:
    decide_all(large, NOW)
    assert len(COINS) < requests_of(large) <= QUIET + len(COINS) + LOOKING_BACK
