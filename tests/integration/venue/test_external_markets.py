"""Seven real instruments as ccxt's suite keeps them, the newest recorded ones, and every other one we have."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.venue import KrakenRestVenue
from tests.fakes.shared_folder import SHARED
from tests.integration.venue.external_cases import load, needs_cases
from tests.integration.venue.loopback_venue import LoopbackVenue
from tests.integration.venue.recorded_bodies import V3, success
from trading.model.instruments import Instrument
from trading.model.units import BasisPoints
from trading.reconciliation.adopting import stray_instrument

pytestmark = needs_cases


def test_steps_and_ticks_match_upstream_in_all_markets(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    markets = load("ccxt/markets_krakenfutures.json")
    loopback.answer(f"{V3}/instruments", markets["instruments_response"])
    found = {contract.contract: contract for contract in venue.contracts()}
    assert len(found) == len(markets["upstream_expect"]) == 7
    for symbol, (contract, step, tick) in markets["upstream_expect"].items():
        assert (found[contract].step, found[contract].tick) == (Decimal(str(step)), Decimal(str(tick)))
        base, quote = symbol.split(":")[0].split("/")
        assert (found[contract].base, found[contract].quote) == (base, quote)


def test_only_multi_collateral_contracts_are_perpetual(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    markets = load("ccxt/markets_krakenfutures.json")
    loopback.answer(f"{V3}/instruments", markets["instruments_response"])
    perpetual = {contract.contract for contract in venue.contracts() if contract.perpetual}
    assert perpetual == {row[0] for row in markets["upstream_expect"].values()} - {"PI_XBTUSD"}


def test_margin_levels_keep_every_tier(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    body = load("ccxt/markets_krakenfutures.json")["instruments_response"]
    loopback.answer(f"{V3}/instruments", body)
    raw = {row["symbol"]: row["marginLevels"] for row in body["instruments"]}
    for contract in venue.contracts():
        assert [str(level.initial) for level in contract.margin_levels] == [
            level["initialMargin"] for level in raw[contract.contract]
        ]


def test_live_listing_tells_dated_from_perpetual(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    captures = load("live/live_captures_2026_09_25.json")["captures"]
    loopback.answer(f"{V3}/instruments", captures["GET /derivatives/api/v3/instruments"])
    loopback.answer(f"{V3}/feeschedules", captures["GET /derivatives/api/v3/feeschedules"])
    contracts = venue.contracts()
    assert {each.contract for each in contracts if each.perpetual} == {"PF_XBTUSD", "PF_DOGEUSD"}
    assert {(each.maker_fee, each.taker_fee) for each in contracts} == {(BasisPoints(2), BasisPoints(5))}
    assert {each.contract: each.tick for each in contracts}["PF_DOGEUSD"] == Decimal("0.00001")


RECORDED = {
    "venue-cases/ccxt/markets_krakenfutures.json": 7,
    "venue-cases/live/live_captures_2026_09_25.json": 5,
    "data/api_samples/nautilus_kraken/http_futures_instruments.json": 4,
    "data/api_samples/kraken_futures_rest/exchangedata_GetSymbols.json": 3,
    "data/reference/kraken_futures_instruments_sample.json": 7,
}


def instruments_in(value: Any) -> list[dict[str, Any]]:
    """Every instrument in a recording, however deep it lies."""
    if isinstance(value, dict) and {"marginLevels", "symbol"} <= value.keys():
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for each in inner for found in instruments_in(each)]


@pytest.mark.parametrize("name", RECORDED)
def test_no_recorded_contract_counts_as_nonsense(venue: KrakenRestVenue, loopback: LoopbackVenue, name: str) -> None:
    rows = instruments_in(json.loads((SHARED / name).read_text(encoding="utf-8")))
    loopback.answer(f"{V3}/instruments", success(instruments=rows))
    listing = venue.listing()
    assert (len(listing.contracts), listing.refused) == (RECORDED[name], ())
    assert all(isinstance(stray_instrument(each), Instrument) for each in listing.contracts)
