"""Refusals, in Kraken's words, and that a refusal changes nothing but the history."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.matching.scripted import COIN, START, at, d, engine, market, order, placed
from trading.errors import InvalidInput
from trading.matching import Liquidity, MarginTier, MarketStatus, MatchingEngine, OrderRequest, Switches


def refused(venue: MatchingEngine, request: OrderRequest) -> str:
    before = replace(venue.books, history=[], counter=0)
    status = venue.send(request).status
    assert replace(venue.books, history=[], counter=0) == before
    return status


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (order("lmt", "buy", "0.005", 99), "invalidSize"),
        (order("lmt", "buy", 0, 99), "invalidSize"),
        (order("lmt", "buy", 1, "99.05"), "invalidPrice"),
        (order("lmt", "buy", 1), "invalidPrice"),
        (order("stp", "sell", 1), "invalidPrice"),
        (order("stp", "sell", 1, "95.01"), "invalidPrice"),
        (order("lmt", "buy", 1, 99, client_order_id="x" * 101), "clientOrderIdTooBig"),
        (order("lmt", "buy", 1, 99, client_order_id=" "), "clientOrderIdInvalid"),
        (order("lmt", "buy", 1, "110.1"), "outsidePriceCollar"),
        (order("lmt", "sell", 1, "89.9"), "outsidePriceCollar"),
        (order("lmt", "buy", "100000.01", 99), "maxPositionViolation"),
        (order("lmt", "buy", 6000, 99), "insufficientAvailableFunds"),
        (order("lmt", "buy", 1, 99, process_before=START - timedelta(seconds=1)), "wouldProcessAfterSpecifiedTime"),
    ],
)
def test_bad_order_is_refused_with_krakens_word(request_: OrderRequest, status: str) -> None:
    assert refused(engine((0, 100), (10, 100)), request_) == status


def test_order_in_time_for_process_before_is_accepted() -> None:
    venue = engine((0, 100), (10, 100))
    assert venue.send(order("lmt", "buy", 1, 99, process_before=START + timedelta(seconds=5))).status == "placed"


def test_client_order_id_is_never_usable_twice() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("lmt", "buy", 1, 99, client_order_id="a")))
    assert refused(venue, order("lmt", "buy", 1, 99, client_order_id="a")) == "clientOrderIdAlreadyExist"
    assert venue.cancel(client_order_id="a").status == "cancelled"
    assert refused(venue, order("lmt", "buy", 1, 99, client_order_id="a")) == "clientOrderIdAlreadyExist"


def test_switch_allows_client_id_again_after_close() -> None:
    venue = engine((0, 100), (10, 100), switches=Switches(reuse_client_id_after_close=True))
    placed(venue.send(order("lmt", "buy", 1, 99, client_order_id="a")))
    assert refused(venue, order("lmt", "buy", 1, 99, client_order_id="a")) == "clientOrderIdAlreadyExist"
    venue.cancel(client_order_id="a")
    assert venue.send(order("lmt", "buy", 1, 99, client_order_id="a")).status == "placed"


def test_refused_order_leaves_its_client_id_free() -> None:
    venue = engine((0, 100), (10, 100))
    refused(venue, order("lmt", "buy", 1, "99.05", client_order_id="a"))
    assert venue.send(order("lmt", "buy", 1, 99, client_order_id="a")).status == "placed"


@pytest.mark.parametrize(
    ("status", "word"),
    [("suspended", "marketSuspended"), ("inactive", "marketInactive"), ("post_only", "marketIsPostOnly")],
)
def test_market_state_refuses_limit_orders(status: str, word: str) -> None:
    venue = engine((0, 100), (10, 100))
    venue.set_status(COIN, MarketStatus(status))
    assert refused(venue, order("lmt", "buy", 1, 99)) == word


def test_post_only_market_accepts_post_orders() -> None:
    venue = engine((0, 100), (10, 100))
    venue.set_status(COIN, MarketStatus.POST_ONLY)
    assert venue.send(order("post", "buy", 1, 99)).status == "placed"


def test_order_that_would_cause_liquidation_is_refused() -> None:
    tiers = (MarginTier(from_notional=d(0), initial=d("0.02"), maintenance=d("0.019")),)
    venue = engine((0, 100), (10, 100), listed=market(margin_tiers=tiers))
    assert refused(venue, order("lmt", "buy", 4900, "100.1")) == "wouldCauseLiquidation"


def test_working_orders_count_against_the_position_cap() -> None:
    venue = engine((0, 100), (10, 100), listed=market(max_position=d(10)))
    placed(venue.send(order("lmt", "buy", 6, 99)))
    assert refused(venue, order("lmt", "buy", 5, 99)) == "maxPositionViolation"
    assert venue.send(order("lmt", "sell", 10, 101)).status == "placed"


def test_opposite_entry_needs_no_second_margin() -> None:
    venue = engine((0, 100), (10, 100), balance="1000")
    placed(venue.send(order("mkt", "buy", 450)))
    assert venue.send(order("mkt", "sell", 450)).status == "placed"
    assert venue.send(order("lmt", "buy", 600, 99)).status == "insufficientAvailableFunds"


def test_cancel_knows_filled_and_unknown_orders() -> None:
    venue = engine((0, 100), (10, 100))
    filled = placed(venue.send(order("mkt", "buy", 1)))
    assert venue.cancel(filled).status == "filled"
    assert venue.cancel("no such order").status == "notFound"


def test_cancel_all_takes_the_stops_too() -> None:
    venue = engine((0, 100), (10, 100))
    placed(venue.send(order("lmt", "buy", 1, 99)))
    placed(venue.send(order("stp", "sell", 1, 95, reduce_only=True)))
    assert len(venue.cancel_all(COIN).events) == 2
    assert venue.cancel_all().status == "noOrdersToCancel"


def test_time_never_runs_backwards() -> None:
    venue = engine((0, 100), (10, 100))
    venue.advance(at(5))
    with pytest.raises(InvalidInput, match="cannot advance"):
        venue.advance(at(4))


def test_unknown_symbol_names_itself() -> None:
    with pytest.raises(InvalidInput, match="PF_NOPE"):
        engine((0, 100), (10, 100)).send(order("mkt", "buy", 1, symbol="PF_NOPE"))


def test_malformed_markets_are_refused() -> None:
    with pytest.raises(InvalidInput, match="tick"):
        market(tick_size=d(0))
    with pytest.raises(InvalidInput, match="ascend"):
        market(margin_tiers=())
    with pytest.raises(InvalidInput, match="touch_fraction"):
        Liquidity(half_spread=d(0), level_size=d(1), touch_fraction=Decimal(2))
