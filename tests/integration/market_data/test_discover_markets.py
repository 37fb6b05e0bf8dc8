"""Discovery against a venue in memory and real stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.discover_markets.discover import Discovery, discover
from shared.alerts import Alerts
from shared.storage.ledger import Ledger
from shared.storage.market_data import UNIVERSE_KEY, MarketDataStore
from shared.storage.tables import MarketDataItem
from tests.fakes.futures_market import FuturesInMemory, a_contract, a_pair, a_quote
from tests.fakes.spot_market import SpotInMemory
from tests.integration.market_data.conftest import Told
from trading.errors import CorruptRecord
from trading.model.alerts import AlertKind
from trading.model.units import BasisPoints
from trading.rules import load_rules

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def world(store: MarketDataStore, ledger: Ledger, alerts: Alerts) -> Discovery:
    return Discovery(
        spot=SpotInMemory(history={}, now=NOW),
        futures=FuturesInMemory(),
        store=store,
        ledger=ledger,
        alerts=alerts,
        rules=load_rules(),
    )


def list_coins(world: Discovery, *bases: str) -> None:
    assert isinstance(world.spot, SpotInMemory)
    assert isinstance(world.futures, FuturesInMemory)
    world.spot.listed = tuple(a_pair(base) for base in bases)
    world.futures.listed = tuple(a_contract(base) for base in bases)
    world.futures.tickers = {each.contract: a_quote(each.contract) for each in world.futures.listed}


def ids(world: Discovery) -> list[str]:
    stored = world.store.universe()
    return [each.id for each in stored.universe.instruments] if stored else []


def test_first_discovery_stores_and_announces_markets(world: Discovery, told: Told) -> None:
    list_coins(world, "ETH", "BTC")
    proof = discover(world, NOW)
    assert (proof["markets"], proof["added"], proof["universe_version"]) == (2, ["BTC", "ETH"], 1)
    assert ids(world) == ["BTC", "ETH"]
    (alert,) = told.take()
    assert (alert.kind, alert.fields) == (AlertKind.UNIVERSE_CHANGED, (("added", "BTC, ETH"),))


def test_unchanged_markets_are_confirmed_silently(world: Discovery, told: Told) -> None:
    list_coins(world, "BTC")
    discover(world, NOW)
    told.take()
    later = NOW + timedelta(hours=4)
    assert discover(world, later)["universe_version"] == 1
    assert told.take() == []
    stored = world.store.universe()
    assert stored is not None
    assert stored.at == later


def test_listing_and_delisting_are_announced(world: Discovery, told: Told) -> None:
    list_coins(world, "BTC", "ETH")
    discover(world, NOW)
    told.take()
    list_coins(world, "BTC", "ZRX")
    discover(world, NOW + timedelta(hours=4))
    (alert,) = told.take()
    assert alert.fields == (("added", "ZRX"), ("removed", "ETH"))


def test_shrunken_universe_is_refused_and_told(world: Discovery, told: Told) -> None:
    list_coins(world, "BTC", "ETH", "SOL")
    discover(world, NOW)
    told.take()
    list_coins(world, "BTC")
    proof = discover(world, NOW + timedelta(hours=4))
    assert "1 markets after 3" in proof["kept"]
    assert ids(world) == ["BTC", "ETH", "SOL"]
    assert [alert.kind for alert in told.take()] == [AlertKind.UNIVERSE_SHRINK]


def test_shrink_guard_toggle_lets_it_pass(world: Discovery) -> None:
    list_coins(world, "BTC", "ETH", "SOL")
    discover(world, NOW)
    list_coins(world, "BTC")
    off = replace(world, rules=load_rules('{"universe": {"shrink_guard_ratio": 0}}'))
    assert discover(off, NOW + timedelta(hours=4))["kept"] is None
    assert ids(world) == ["BTC"]


def test_contracts_of_nonsense_cost_no_other_coin(world: Discovery) -> None:
    list_coins(world, "BTC", "ETH", "SOL")
    assert isinstance(world.futures, FuturesInMemory)
    dear = replace(world.futures.listed[1], taker_fee=BasisPoints(150))
    world.futures.listed = (world.futures.listed[0], dear)
    world.futures.refused = (("PF_SOLUSD", "tickSize is None: expected a number"),)
    proof = discover(world, NOW)
    assert (ids(world), proof["markets"], proof["kept"]) == (["BTC"], 1, None)
    stored = world.store.universe()
    assert stored is not None
    left_out = dict(stored.universe.left_out)
    assert left_out["PF_ETHUSD"] == "nonsense: ETH has taker fee 150 bps; expected 0 to 100"
    assert left_out["PF_SOLUSD"] == "nonsense: tickSize is None: expected a number"


@pytest.mark.parametrize("silent", ["spot", "futures"])
def test_failing_venue_keeps_the_old_universe(world: Discovery, told: Told, silent: str) -> None:
    list_coins(world, "BTC")
    discover(world, NOW)
    told.take()
    assert isinstance(world.spot, SpotInMemory)
    assert isinstance(world.futures, FuturesInMemory)
    world.spot.down, world.futures.down = ({"all"}, False) if silent == "spot" else (set(), True)
    proof = discover(world, NOW + timedelta(hours=4))
    assert (ids(world), proof["markets"]) == (["BTC"], 1)
    assert "does not answer" in proof["kept"]
    assert told.take() == []
    discover(world, NOW + timedelta(hours=13))
    assert [alert.kind for alert in told.take()] == [AlertKind.STALE_DATA]


def test_damaged_universe_is_replaced_by_the_next(world: Discovery, store: MarketDataStore) -> None:
    list_coins(world, "BTC")
    discover(world, NOW)
    item = MarketDataItem.get(*UNIVERSE_KEY)
    item.update([MarketDataItem.data.set(b"damaged")])
    with pytest.raises(CorruptRecord):
        store.universe()
    proof = discover(world, NOW + timedelta(hours=4))
    assert (proof["markets"], ids(world)) == (1, ["BTC"])
