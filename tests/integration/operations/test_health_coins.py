"""How far every coin has come, from the real stores on the emulator."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from functions.check_health.coins import KEPT, CoinsLook, CoinSources, look_at_coins
from shared.storage.control import RunRecord
from shared.storage.quality import QualityStore
from tests.integration.operations.conftest import MARKET, World
from tests.unit.control.records import NOW, decision, universe
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe, to_text

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
AT = NOW + 35 * MINUTE
"""12:35: the bar of 12:15 is due for every coin, and so is the decision of 12:00."""

COINS = ("BTC", "ETH", "SOL")


@pytest.fixture
def sources(world: World) -> CoinSources:
    quality = QualityStore(MARKET)
    return CoinSources(market=world.market, quality=quality, decisions=world.decisions, late_after=30 * MINUTE)


def bar(close: datetime) -> CandleSeries:
    opened = int((close - 15 * MINUTE).timestamp())
    return CandleSeries(Timeframe.M15, [Candle(open_time=opened, open=1, high=1, low=1, close=1, volume=1)])


def store_bars(world: World, close: datetime, *coins: str) -> None:
    world.market.add({(InstrumentId(coin), Timeframe.M15): bar(close) for coin in coins}, close)


def decide(world: World, closed: datetime, *coins: str) -> None:
    world.decisions.add([decision(coin, closed) for coin in coins])


def see(sources: CoinSources, before: CoinsLook | None = None, now: datetime = AT, decided: str = "") -> CoinsLook:
    score = RunRecord(function="score_setups", at=now, proof={"decided_bar": decided or None})
    return look_at_coins(sources, before, {"score_setups": score}, now)


def test_universe_that_is_up_to_date_has_nobody_behind(world: World, sources: CoinSources) -> None:
    store_bars(world, NOW + 30 * MINUTE, *COINS)
    decide(world, NOW, *COINS)
    found = see(sources)
    assert (found.at, found.coins) == (AT, 3)
    assert (found.candles.behind, found.candles.last) == (0, ("BTC", NOW + 30 * MINUTE))
    assert (found.decisions.due, found.decisions.behind, found.decisions.last) == (NOW, 0, ("BTC", NOW))


def test_coin_with_older_candles_is_named(world: World, sources: CoinSources) -> None:
    store_bars(world, NOW, "SOL")
    store_bars(world, NOW + 15 * MINUTE, "ETH")
    store_bars(world, NOW + 30 * MINUTE, "BTC")
    found = see(sources).candles
    assert (found.due, found.behind) == (NOW + 15 * MINUTE, 1)
    assert found.oldest == (("SOL", NOW),)
    assert found.last == ("SOL", NOW)


def test_oldest_of_those_in_time_is_named_too(world: World, sources: CoinSources) -> None:
    store_bars(world, NOW + 15 * MINUTE, "ETH")
    store_bars(world, NOW + 30 * MINUTE, "BTC", "SOL")
    assert see(sources).candles.last == ("ETH", NOW + 15 * MINUTE)


def test_bar_that_the_exchange_skipped_is_not_missing(world: World, sources: CoinSources) -> None:
    store_bars(world, NOW, "SOL")
    store_bars(world, NOW + 30 * MINUTE, "BTC", "ETH")
    skipped = int(NOW.timestamp())
    sources.quality.load()
    sources.quality.save(0, {InstrumentId("SOL"): replace(CoinQuality.new(NOW), absent_until=skipped)}, NOW)
    assert see(sources).candles.behind == 0


def test_coin_without_any_candle_counts_from_the_first_look(world: World, sources: CoinSources) -> None:
    store_bars(world, NOW + 30 * MINUTE, "BTC", "ETH")
    first = see(sources)
    assert first.candles.oldest == (("SOL", AT),)
    store_bars(world, AT + 10 * MINUTE, "BTC", "ETH")
    later = see(sources, first, AT + 10 * MINUTE)
    assert later.candles.oldest == (("SOL", AT),)


def test_empty_universe_has_no_coin_behind(world: World, sources: CoinSources) -> None:
    world.market.save_universe(universe(), NOW, world.market.universe())
    found = see(sources)
    assert (found.coins, found.candles.last, found.decisions.last) == (0, None, None)


def test_undecided_coin_is_named_with_its_newest_decision(world: World, sources: CoinSources) -> None:
    decide(world, NOW - 2 * HOUR, *COINS)
    decide(world, NOW - HOUR, "BTC", "ETH")
    decide(world, NOW, "BTC")
    found = see(sources).decisions
    assert found.behind == 2
    assert found.oldest == (("SOL", NOW - 2 * HOUR), ("ETH", NOW - HOUR))


def test_coin_never_decided_counts_from_the_first_look(world: World, sources: CoinSources) -> None:
    decide(world, NOW, "BTC", "ETH")
    first = see(sources)
    assert first.decisions.oldest == (("SOL", AT),)
    decide(world, NOW + HOUR, "BTC", "ETH")
    assert see(sources, first, AT + HOUR).decisions.oldest == (("SOL", AT),)


def test_bar_is_read_once_when_nobody_is_missing(world: World, sources: CoinSources) -> None:
    decide(world, NOW, *COINS)
    first = see(sources)
    reads: list[datetime] = []
    real = sources.decisions.decided

    class Counting:
        def decided(self, closed: datetime) -> object:
            reads.append(closed)
            return real(closed)

    counted = replace(sources, decisions=Counting())  # type: ignore[arg-type]
    assert see(counted, first, AT + 5 * MINUTE).decisions.behind == 0
    assert reads == []
    see(counted, first, AT + HOUR)
    assert reads[0] == NOW + HOUR


def test_larger_universe_is_looked_at_again(world: World, sources: CoinSources) -> None:
    decide(world, NOW, *COINS)
    first = see(sources)
    world.market.save_universe(universe(*COINS, "XRP"), NOW, world.market.universe())
    assert see(sources, first).decisions.oldest == (("XRP", AT),)


def test_newer_bar_of_scoring_makes_decisions_younger(world: World, sources: CoinSources) -> None:
    decide(world, NOW, *COINS)
    found = see(sources, decided=to_text(NOW + HOUR))
    assert found.decisions.last == ("BTC", NOW + HOUR)


def test_only_the_oldest_are_kept(world: World, sources: CoinSources) -> None:
    many = [f"C{place:02d}" for place in range(KEPT + 5)]
    world.market.save_universe(universe(*many), NOW, world.market.universe())
    found = see(sources)
    for progress in (found.candles, found.decisions):
        assert (progress.behind, len(progress.oldest)) == (KEPT + 5, KEPT)
