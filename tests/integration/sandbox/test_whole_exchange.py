"""A generated exchange of 300 coins: quick to start, and every coin passes a discovery through the real adapters."""

import time
from collections import Counter

from infra.local.market import GeneratedMarket, generated_market
from shared.clock import SystemClock
from shared.venue.kraken_contracts import KrakenFuturesMarket
from shared.venue.kraken_spot import KrakenSpot
from tests.integration.sandbox.served import serve
from trading.model.instruments import Tier
from trading.model.times import from_text
from trading.rules import load_rules
from trading.universe.joining import Markets, join

START = from_text("2024-08-01T00:00:00Z")
COINS = 300


def test_discovery_finds_three_hundred_markets_of_all_tiers() -> None:
    started = time.process_time()
    with serve("--coins", str(COINS), "--history-days", "10", "--days", "1") as sandbox:
        ready = time.process_time() - started
        spot = KrakenSpot(clock=SystemClock(), base_url=sandbox.url)
        futures = KrakenFuturesMarket(base_url=sandbox.url)
        markets = Markets(pairs=spot.pairs(), contracts=futures.contracts(), quotes=futures.quotes())
        quoted = spot.quotes([each.pair for each in markets.pairs])
    universe = join(markets, load_rules().universe)
    tiers = Counter(each.tier for each in universe.instruments)
    assert len(universe) == COINS
    assert min(tiers[tier] for tier in Tier) >= 50
    assert {"PF_USDCUSD", "PF_EURUSD", "PF_DEFIUSD", "KSMUSD", "USDTZUSD"} <= dict(universe.left_out).keys()
    assert {each.spot_pair for each in universe.instruments} <= quoted.keys()
    assert ready < 8


def test_generated_coins_stay_liquid_through_their_history() -> None:
    rules = load_rules().universe
    market = generated_market(GeneratedMarket(seed=3, coins=45, start=START, days=1, history_days=60))
    times = [START.replace(month=7, day=day, hour=5) for day in range(1, 31)]
    for listing in market.listings()[30:45]:
        days = [market.day(listing.base, at) for at in times]
        assert min(day.volume * day.close for day in days) > rules.minimum_volume_usd, listing.base


def test_bars_do_not_depend_on_being_preloaded() -> None:
    spec = GeneratedMarket(seed=3, coins=34, start=START, days=1, history_days=5)
    on_demand, preloaded = generated_market(spec), generated_market(spec)
    preloaded.preload()
    for base in ("GEN4", "BTC", "GEN1"):
        assert on_demand.candles(base, 900, START) == preloaded.candles(base, 900, START)
