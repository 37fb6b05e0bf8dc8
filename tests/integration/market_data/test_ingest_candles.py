"""Ingest against an exchange in memory and real stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.ingest_candles.ingest import ingest_due
from shared.progress import INGEST, REFETCH
from shared.storage.control import ControlStore
from tests.integration.market_data.conftest import Told
from tests.integration.market_data.ingest_scene import (
    COINS,
    MIDNIGHT,
    MINUTE,
    START,
    Scene,
    assert_complete,
    list_coins,
)
from trading.model.alerts import AlertKind
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch, to_text
from trading.ports import SpotMarket


def test_new_coins_are_bootstrapped_with_all_timeframes(scene: Scene) -> None:
    proof = scene.run(START)
    assert (proof["new_coins"], proof["waiting"]) == (3, {})
    assert len(scene.spot.calls) == 12
    assert_complete(scene, START)
    assert scene.announced == [from_epoch(MIDNIGHT + 41 * 900)]


def test_idle_minute_asks_the_exchange_nothing(scene: Scene) -> None:
    first = scene.run(START)
    again = scene.run(START + MINUTE)
    assert (scene.spot.calls, again["watermark"]) == ([], first["watermark"])
    assert len(scene.announced) == 1


def test_nothing_happens_before_first_discovery(scene: Scene) -> None:
    fresh = replace(scene.world, control=ControlStore("test-decisions"))
    assert ingest_due(fresh, START).proof()["watermark"] is None
    assert scene.spot.calls == []


def test_day_of_closes_equals_exchange_in_every_timeframe(scene: Scene) -> None:
    now = START
    for _ in range(62):  # 10:15 until 01:30 of the next day: a fold and the close of a 1d bar lie between
        scene.run(now)
        now += timedelta(minutes=15)
    last = now - timedelta(minutes=15)
    assert last.hour == 1
    assert_complete(scene, last)
    assert scene.world.store.coverage(last).index.newest[InstrumentId("AAA"), Timeframe.M15] == MIDNIGHT + 95 * 900


def test_ordinary_close_costs_one_call_per_coin(scene: Scene) -> None:
    for quarter in range(4):
        scene.run(START + quarter * timedelta(minutes=15))
    scene.run(START + timedelta(minutes=60))
    assert sorted(scene.spot.calls) == [(f"X{coin}ZUSD", Timeframe.M15) for coin in COINS]
    for quarter in range(5, 8):  # 11:30, 11:45, 12:00: the whole hour is known as 15m bars now
        scene.run(START + quarter * timedelta(minutes=15))
    h1_calls = [call for call in scene.spot.calls if call[1] is Timeframe.H1]
    assert h1_calls == []
    assert_complete(scene, START + 7 * timedelta(minutes=15))


def test_failing_coin_stops_no_other_and_is_retried(scene: Scene, told: Told) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.spot.down = {"XBBBZUSD"}
    proof = scene.run(now)
    assert list(proof["waiting"]) == ["BBB"]
    assert proof["watermark"] == "2024-05-01T10:15:00.000Z"
    assert_complete(scene, now, ("AAA", "CCC"))
    scene.spot.down = set()
    proof = scene.run(now + MINUTE)
    assert scene.spot.calls == [("XBBBZUSD", Timeframe.M15)]
    assert (proof["waiting"], proof["watermark"]) == ({}, "2024-05-01T10:30:00.000Z")
    assert_complete(scene, now)
    assert told.take() == []


def test_late_bar_is_awaited_until_it_counts_as_failing(scene: Scene, told: Told) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.spot.hidden = {("XAAAZUSD", MIDNIGHT + 41 * 900)}
    for minute in range(4):
        assert scene.run(now + minute * MINUTE)["watermark"] == "2024-05-01T10:15:00.000Z"
    assert told.take() == []
    assert scene.run(now + 4 * MINUTE)["watermark"] == "2024-05-01T10:30:00.000Z"
    (alert,) = told.take()
    assert (alert.kind, alert.fields[0][0]) == (AlertKind.STALE_DATA, "AAA")
    scene.spot.hidden = set()
    now += timedelta(minutes=15)
    scene.run(now)
    assert_complete(scene, now)


def test_coins_still_awaited_at_the_deadline_are_named(scene: Scene, told: Told) -> None:
    scene.run(START)
    scene.change_rules("quality", enabled=False)
    now = START + timedelta(minutes=15)
    scene.spot.down = {"XBBBZUSD"}
    for minute in range(10):
        assert scene.run(now + minute * MINUTE)["watermark"] == "2024-05-01T10:15:00.000Z"
    assert told.take() == []
    assert scene.run(now + 10 * MINUTE)["watermark"] == "2024-05-01T10:30:00.000Z"
    (alert,) = told.take()
    assert (alert.kind, alert.fields[0][0]) == (AlertKind.STALE_DATA, "BBB")


def test_hole_in_hour_is_filled_by_exchange_bar(scene: Scene) -> None:
    scene.run(START)
    scene.spot.hidden = {("XAAAZUSD", MIDNIGHT + 45 * 900)}
    now = START
    while now < START + timedelta(hours=2):
        now += MINUTE
        scene.run(now)
    assert scene.series("AAA", Timeframe.M15, now).gaps == 1
    for timeframe in (Timeframe.H1, Timeframe.H4, Timeframe.D1):
        assert scene.series("AAA", timeframe, now) == scene.expected("AAA", timeframe, now)
    scene.spot.hidden = set()
    now += timedelta(minutes=15)
    scene.run(now)
    assert_complete(scene, now)


def test_downtime_of_two_days_is_caught_up(scene: Scene) -> None:
    scene.run(START)
    later = START + timedelta(days=2, hours=3)
    proof = scene.run(later)
    assert proof["waiting"] == {}
    assert_complete(scene, later)


def test_coin_listed_later_is_bootstrapped_alone(scene: Scene) -> None:
    scene.run(START)
    list_coins(scene, (*COINS, "DDD"), START + MINUTE)
    proof = scene.run(START + 2 * MINUTE)
    assert {pair for pair, _ in scene.spot.calls} == {"XDDDZUSD"}
    assert proof["new_coins"] == 1
    assert_complete(scene, START, (*COINS, "DDD"))


def test_unreadable_coin_is_fetched_again_on_request(scene: Scene) -> None:
    scene.run(START)
    scene.world.control.first_observed(REFETCH + "BBB", START)
    proof = scene.run(START + timedelta(minutes=15))
    assert proof["new_coins"] == 1
    assert scene.world.control.observations() == {}


def test_hanging_coin_delays_nobody_beyond_patience(scene: Scene) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.change_rules("ingest", run_s=0.5)
    scene.spot.hanging = {"XAAAZUSD"}
    try:
        assert scene.run(now)["waiting"] == {"AAA": "no answer within 0.525 s"}
        assert_complete(scene, now, ("BBB", "CCC"))
    finally:
        scene.spot.released.set()
    assert scene.run(now + MINUTE)["waiting"] == {}
    assert_complete(scene, now)


def test_running_bar_of_careless_exchange_is_never_stored(scene: Scene) -> None:
    scene.spot.leaks = True
    for quarter in range(4):
        now = START + quarter * timedelta(minutes=15)
        assert scene.run(now)["waiting"] == {}
        assert_complete(scene, now)
        later = now + timedelta(days=2)
        assert scene.series("AAA", Timeframe.D1, later) == scene.expected("AAA", Timeframe.D1, now)


def test_defect_in_one_coin_is_raised_after_storing_others(scene: Scene) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    del scene.spot.history["XBBBZUSD"]
    with pytest.raises(KeyError):
        scene.run(now)
    assert scene.series("AAA", Timeframe.M15, now) == scene.expected("AAA", Timeframe.M15, now)


def test_same_close_twice_stores_the_same(scene: Scene) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.run(now)
    before = [scene.series(coin, Timeframe.M15, now) for coin in COINS]
    scene.world.control.record_run(INGEST, now, {"watermark": "2024-05-01T10:15:00.000Z", "universe_version": 1})
    scene.run(now + MINUTE)
    assert [scene.series(coin, Timeframe.M15, now) for coin in COINS] == before


def test_long_run_never_takes_the_watermark_back(scene: Scene) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.spot.down = {"XBBBZUSD"}
    concluded = {"watermark": to_text(from_epoch(MIDNIGHT + 42 * 900)), "universe_version": 1}
    real = scene.world.spot_for

    @contextmanager
    def slow(coins: int) -> Iterator[SpotMarket]:
        with real(coins) as spot:
            yield spot
        scene.world.control.record_run(INGEST, now + MINUTE, concluded)  # another run was faster
        scene.spot.now = now + 2 * MINUTE

    scene.world = replace(scene.world, spot_for=slow)
    assert scene.run(now)["watermark"] == concluded["watermark"]
    assert scene.world.control.last_runs()[INGEST].at == now + 2 * MINUTE
