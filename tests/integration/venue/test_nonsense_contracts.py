"""Nonsense in what the venue lists and quotes: the contract is named with the reason, the others are not touched."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenFuturesMarket
from shared.venue.transport import require_loopback
from tests.fakes.futures_market import a_pair
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import V3, success
from trading.errors import VenueAnswerInvalid
from trading.model.instruments import Universe
from trading.rules import load_rules
from trading.universe.joining import Markets, join

ABSENT = object()
GOOD: dict[str, Any] = {
    "symbol": "PF_GOODUSD",
    "type": "flexible_futures",
    "tickSize": 0.1,
    "tradeable": True,
    "maxPositionSize": 1200.0,
    "marginLevels": [
        {"numNonContractUnits": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01},
        {"numNonContractUnits": 1000000, "initialMargin": 0.04, "maintenanceMargin": 0.02},
    ],
    "contractValueTradePrecision": 4,
    "postOnly": False,
    "feeScheduleUid": "usual",
    "base": "GOOD",
    "quote": "USD",
}
BAD = {**GOOD, "symbol": "PF_BADUSD", "base": "BAD"}
INDEX = {"symbol": "in_goodusd", "type": "spot index", "tradeable": False}
USUAL = {"uid": "usual", "tiers": [{"makerFee": 0.02, "takerFee": 0.05, "usdVolume": 0}]}
TICKER: dict[str, Any] = {
    "symbol": "PF_GOODUSD",
    "markPrice": 100,
    "indexPrice": 100.1,
    "bid": 99.99,
    "ask": 100.01,
    "volumeQuote": 9000000,
    "fundingRate": 0.001,
    "suspended": False,
    "postOnly": False,
}


def changed(row: dict[str, Any], **changes: object) -> dict[str, object]:
    return {name: value for name, value in {**row, **changes}.items() if value is not ABSENT}


def level(**changes: object) -> list[dict[str, object]]:
    return [{"numNonContractUnits": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01, **changes}]


def levels(*sizes: object) -> list[dict[str, object]]:
    return [level(numNonContractUnits=size)[0] for size in sizes]


@pytest.fixture
def market(loopback: LoopbackVenue) -> KrakenFuturesMarket:
    loopback.answer(f"{V3}/feeschedules", success(feeSchedules=[USUAL]))
    loopback.answer(f"{V3}/tickers", success(tickers=[TICKER, {**TICKER, "symbol": "PF_BADUSD"}]))
    adapter = KrakenFuturesMarket(base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter


def universe_of(market: KrakenFuturesMarket) -> Universe:
    """As discovery joins it."""
    pairs, listing = (a_pair("GOOD"), a_pair("BAD")), market.listing()
    markets = Markets(pairs=pairs, contracts=listing.contracts, quotes=market.quotes(), refused=listing.refused)
    return join(markets, load_rules().universe)


CONTRACTS: list[tuple[dict[str, object], str]] = [
    ({"tickSize": None}, "tickSize is None: expected a number, not NoneType"),
    ({"tickSize": "NaN"}, "tickSize is 'NaN': expected a finite number"),
    ({"tickSize": "a tenth"}, "tickSize is 'a tenth': expected a number"),
    ({"tickSize": -0.1}, "tickSize is -0.1: expected a number above 0"),
    ({"tickSize": 0}, "tickSize is 0: expected a number above 0"),
    ({"tickSize": ABSENT}, "tickSize is missing"),
    ({"type": None}, "type is None"),
    ({"tradeable": "perhaps"}, "tradeable is 'perhaps'"),
    ({"maxPositionSize": None}, "maxPositionSize is None"),
    ({"maxPositionSize": -1}, "maxPositionSize is -1"),
    ({"maxPositionSize": 0}, "maximum position 0"),
    ({"contractValueTradePrecision": 4.5}, "contractValueTradePrecision is 4.5"),
    ({"contractValueTradePrecision": None}, "contractValueTradePrecision is None"),
    ({"marginLevels": ABSENT}, "marginLevels is missing"),
    ({"marginLevels": []}, "marginLevels is []"),
    ({"marginLevels": level(initialMargin=None)}, "marginLevels.0.initialMargin is None"),
    ({"marginLevels": level(initialMargin="NaN")}, "marginLevels.0.initialMargin is 'NaN'"),
    ({"marginLevels": level(maintenanceMargin=-0.01)}, "marginLevels.0.maintenanceMargin is -0.01"),
    ({"marginLevels": level(maintenanceMargin=0)}, "marginLevels.0.maintenanceMargin is 0"),
    ({"marginLevels": level(maintenanceMargin=0.03)}, "initial 0.02 and maintenance 0.03"),
    ({"marginLevels": level(initialMargin=2)}, "initial 2 and maintenance 0.01"),
    ({"marginLevels": levels(None)}, "names no size that it starts from"),
    ({"marginLevels": levels(-5)}, "starts at -5 USD"),
    ({"marginLevels": levels(1000)}, "margin levels from 1000 USD on; expected the first from 0"),
    ({"marginLevels": levels(0, 10, 10)}, "from 10 USD after one from 10"),
    ({"marginLevels": [*levels(0), *level(numNonContractUnits=9, initialMargin=0.01)]}, "demands 0.01 and 0.01"),
]


@pytest.mark.parametrize(("changes", "reason"), CONTRACTS, ids=[reason for _, reason in CONTRACTS])
def test_contract_of_nonsense_is_left_out_by_name(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, changes: dict[str, object], reason: str
) -> None:
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD, changed(BAD, **changes), INDEX]))
    universe = universe_of(market)
    assert [each.contract for each in universe.instruments] == ["PF_GOODUSD"]
    left_out = dict(universe.left_out)
    assert left_out["PF_BADUSD"].startswith("nonsense: ")
    assert reason in left_out["PF_BADUSD"]
    assert "IN_GOODUSD" not in left_out


def test_contract_without_nonsense_is_in_the_universe(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD, BAD, INDEX]))
    assert [each.contract for each in universe_of(market).instruments] == ["PF_BADUSD", "PF_GOODUSD"]
    assert market.listing().refused == ()


def test_contract_of_no_coin_is_left_out(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    nameless = changed(BAD, symbol="BADUSD", base=None, quote=None)
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD, nameless]))
    reason = "nonsense: it names no base and quote: base is None, quote None, pair None"
    assert dict(universe_of(market).left_out)["BADUSD"] == reason


def test_contract_listed_twice_is_left_out(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    twice = [BAD, changed(BAD, symbol="pf_badusd", tickSize=1)]
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD, *twice]))
    assert dict(universe_of(market).left_out)["PF_BADUSD"] == "nonsense: it is listed 2 times"


def test_listing_of_nothing_but_nonsense_is_no_answer(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/instruments", success(instruments=[changed(BAD, tickSize=None)]))
    with pytest.raises(VenueAnswerInvalid, match="none of them is valid"):
        market.listing()


def tier(**changes: object) -> dict[str, object]:
    return {"uid": "odd", "tiers": [{"makerFee": 0.02, "takerFee": 0.05, "usdVolume": 0, **changes}]}


FEES: list[tuple[dict[str, object], str]] = [
    (tier(takerFee=1.01), "taker fee 101.00 bps; expected 0 to 100"),
    (tier(takerFee=-0.01), "taker fee -1.00 bps"),
    (tier(makerFee=1.5), "maker fee 150.0 bps"),
    (tier(makerFee=-1.5), "maker fee -150.0 bps"),
    (tier(takerFee=None), "fee schedule odd cannot be read: tiers.0.takerFee is None"),
    (tier(takerFee="NaN"), "tiers.0.takerFee is 'NaN'"),
    (tier(makerFee="little"), "tiers.0.makerFee is 'little'"),
    (tier(usdVolume=-1), "tiers.0.usdVolume is -1"),
    ({"uid": "odd", "tiers": []}, "tiers is []"),
    ({"uid": "odd"}, "tiers is missing"),
]


@pytest.mark.parametrize(("schedule", "reason"), FEES, ids=[reason for _, reason in FEES])
def test_contract_with_nonsense_fees_is_left_out(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, schedule: dict[str, object], reason: str
) -> None:
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD, changed(BAD, feeScheduleUid="odd")]))
    loopback.answer(f"{V3}/feeschedules", success(feeSchedules=[schedule, USUAL]))
    universe = universe_of(market)
    assert [each.contract for each in universe.instruments] == ["PF_GOODUSD"]
    assert reason in dict(universe.left_out)["PF_BADUSD"]


TICKERS: list[tuple[dict[str, object], str]] = [
    ({"markPrice": None}, "markPrice is None"),
    ({"markPrice": 0}, "markPrice is 0: expected a number above 0"),
    ({"markPrice": -100}, "markPrice is -100"),
    ({"markPrice": "NaN"}, "markPrice is 'NaN'"),
    ({"markPrice": "cheap"}, "markPrice is 'cheap'"),
    ({"markPrice": True}, "markPrice is True"),
    ({"markPrice": ABSENT}, "markPrice is missing"),
    ({"bid": "low"}, "bid is 'low'"),
    ({"ask": "NaN"}, "ask is 'NaN'"),
    ({"indexPrice": []}, "indexPrice is []"),
    ({"fundingRate": "NaN"}, "fundingRate is 'NaN'"),
    ({"fundingRate": "free"}, "fundingRate is 'free'"),
    ({"volumeQuote": "much"}, "volumeQuote is 'much'"),
    ({"suspended": None}, "suspended is None"),
    ({"suspended": "perhaps"}, "suspended is 'perhaps'"),
    ({"suspended": ABSENT}, "suspended is missing"),
    ({"postOnly": None}, "postOnly is None"),
    ({"postOnly": ABSENT}, "postOnly is missing"),
]


@pytest.mark.parametrize(("changes", "reason"), TICKERS, ids=[reason for _, reason in TICKERS])
def test_ticker_of_nonsense_is_left_out_and_told(
    market: KrakenFuturesMarket,
    loopback: LoopbackVenue,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, object],
    reason: str,
) -> None:
    index = {"symbol": "in_goodusd", "last": 100, "lastTime": "2026-11-22T12:00:00Z"}
    bad = changed(TICKER, symbol="PF_BADUSD", **changes)
    loopback.answer(f"{V3}/tickers", success(tickers=[bad, TICKER, index]))
    with caplog.at_level(logging.WARNING):
        assert set(market.quotes()) == {"PF_GOODUSD"}
    (told,) = [each.getMessage() for each in caplog.records if "is left out" in each.getMessage()]
    assert told.startswith(f"ticker of PF_BADUSD is left out: {reason}")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"fundingRate": ABSENT}, {"hourly_funding"}),
        ({"fundingRate": None}, {"hourly_funding"}),
        ({"bid": ABSENT}, {"bid", "spread"}),
        ({"ask": None}, {"ask", "spread"}),
        ({"bid": 0}, {"bid", "spread"}),
        ({"ask": -3}, {"ask", "spread"}),
        ({"bid": 100.02}, {"bid", "ask", "spread"}),
        ({"indexPrice": ABSENT}, {"index"}),
        ({"indexPrice": 0}, {"index"}),
        ({"fundingRate": 0, "bid": 100.01}, set()),
    ],
)
def test_what_a_ticker_does_not_say_stays_unsaid(
    market: KrakenFuturesMarket, loopback: LoopbackVenue, changes: dict[str, object], missing: set[str]
) -> None:
    loopback.answer(f"{V3}/tickers", success(tickers=[changed(TICKER, **changes)]))
    quote = market.quotes()["PF_GOODUSD"]
    fields = ("hourly_funding", "bid", "ask", "spread", "index")
    assert {name for name in fields if getattr(quote, name) is None} == missing
    assert quote.mark == 100


def test_volume_that_is_missing_counts_as_none(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/tickers", success(tickers=[changed(TICKER, volumeQuote=ABSENT)]))
    assert market.quotes()["PF_GOODUSD"].volume_usd == 0


def test_ticker_without_a_time_is_no_answer(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    body = success(tickers=[TICKER])
    del body["serverTime"]
    loopback.answer(f"{V3}/tickers", body)
    with pytest.raises(VenueAnswerInvalid, match="serverTime"):
        market.quotes()


def test_bare_nan_makes_the_whole_answer_invalid(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/tickers", Scripted(text='{"result":"success","tickers":[{"markPrice":NaN}]}'))
    with pytest.raises(VenueAnswerInvalid, match="tickers"):
        market.quotes()


def test_lowest_tier_fees_reach_the_instrument(market: KrakenFuturesMarket, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/instruments", success(instruments=[GOOD]))
    loopback.answer(f"{V3}/feeschedules", success(feeSchedules=[{**tier(takerFee=1), "uid": "usual"}]))
    (instrument,) = universe_of(market).instruments
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal(2), Decimal(100))
