"""Ingest against an exchange in memory and real stores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.ingest_candles.ingest import Ingest, ingest_coins, ingest_due
from shared.alerts import Alerts
from shared.progress import DISCOVER, INGEST, REFETCH, ingested_until
from shared.storage.control import ControlStore
from shared.storage.market_data import MarketDataStore
from tests.fakes.futures_market import a_contract, a_pair
from tests.fakes.spot_market import SpotInMemory, wave
from tests.integration.market_data.conftest import Told
from trading.model.alerts import AlertKind
from trading.model.candles import CandleSeries
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch
from trading.rules import load_rules
from trading.universe.joining import Markets, join

MIDNIGHT = 1_714_521_600
START = datetime(2024, 5, 1, 10, 15, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEPT = 120
COINS = ("AAA", "BBB", "CCC")


@dataclass(slots=True)
class Scene:
    """A system that starts at START, and the exchange it reads."""

    world: Ingest
    spot: SpotInMemory
    announced: list[datetime] = field(default_factory=list)

    def run(self, now: datetime) -> dict[str, object]:
        self.spot.now = now
        self.spot.calls.clear()
        return ingest_due(self.world, now).proof()

    def series(self, coin: str, timeframe: Timeframe, now: datetime) -> CandleSeries:
        name = InstrumentId(coin)
        return self.world.store.load_series([name], [timeframe], now)[name, timeframe]

    def expected(self, coin: str, timeframe: Timeframe, now: datetime) -> CandleSeries:
        whole = self.spot.history[f"X{coin}ZUSD"]
        bars = whole if timeframe is Timeframe.M15 else fold(whole, timeframe)
        return bars.until(int(now.timestamp())).last(KEPT)


@pytest.fixture
def scene(store: MarketDataStore, control: ControlStore, alerts: Alerts) -> Scene:
    spot = SpotInMemory(history={}, now=START)
    scene = Scene(world=None, spot=spot)  # type: ignore[arg-type]
    scene.world = Ingest(
        spot=spot, store=store, control=control, alerts=alerts, announce=scene.announced.append, patience_s=5
    )
    list_coins(scene, COINS, START)
    return scene


def list_coins(scene: Scene, coins: tuple[str, ...], now: datetime) -> None:
    rules = replace(load_rules().universe, pinned=coins)
    markets = Markets(pairs=tuple(map(a_pair, coins)), contracts=tuple(map(a_contract, coins)), quotes={})
    stored = scene.world.store.save_universe(join(markets, rules), now, scene.world.store.universe())
    scene.world.control.record_run(DISCOVER, now, {"universe_version": stored.version})
    for index, coin in enumerate(coins):
        scene.spot.history.setdefault(f"X{coin}ZUSD", wave(MIDNIGHT - 600 * 900, 900, 100.0 + 50 * index))


def assert_complete(scene: Scene, now: datetime, coins: tuple[str, ...] = COINS) -> None:
    for coin in coins:
        for timeframe in Timeframe:
            got = scene.series(coin, timeframe, now)
            assert got == scene.expected(coin, timeframe, now), (coin, timeframe, now)


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


def test_nothing_happens_before_first_discovery(scene: Scene, store: MarketDataStore, alerts: Alerts) -> None:
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


def test_late_bar_is_awaited_until_the_deadline(scene: Scene, told: Told) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.spot.hidden = {("XAAAZUSD", MIDNIGHT + 41 * 900)}
    for minute in range(10):
        assert scene.run(now + minute * MINUTE)["watermark"] == "2024-05-01T10:15:00.000Z"
    assert told.take() == []
    assert scene.run(now + 10 * MINUTE)["watermark"] == "2024-05-01T10:30:00.000Z"
    (alert,) = told.take()
    assert (alert.kind, alert.fields[0][0]) == (AlertKind.STALE_DATA, "AAA")
    scene.spot.hidden = set()
    now += timedelta(minutes=15)
    scene.run(now)
    assert_complete(scene, now)


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
    scene.world = replace(scene.world, patience_s=0.5)
    scene.spot.hanging = {"XAAAZUSD"}
    try:
        assert scene.run(now)["waiting"] == {"AAA": "no answer within 0.5 s"}
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


def test_shard_fetches_only_its_coins(scene: Scene) -> None:
    report = ingest_coins(scene.world, [InstrumentId("BBB")], START)
    assert (report.coins, report.new_coins) == (1, 1)
    assert {pair for pair, _ in scene.spot.calls} == {"XBBBZUSD"}
    assert ingested_until(scene.world.control.last_runs()) is None
    assert INGEST not in scene.world.control.last_runs()


def test_same_close_twice_stores_the_same(scene: Scene) -> None:
    scene.run(START)
    now = START + timedelta(minutes=15)
    scene.run(now)
    before = [scene.series(coin, Timeframe.M15, now) for coin in COINS]
    scene.world.control.record_run(INGEST, now, {"watermark": "2024-05-01T10:15:00.000Z", "universe_version": 1})
    scene.run(now + MINUTE)
    assert [scene.series(coin, Timeframe.M15, now) for coin in COINS] == before
