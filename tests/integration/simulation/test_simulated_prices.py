"""What the venue of a drawn day charges is what it says, and days on which it charges dearly are among the drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.fakes.records import coin
from tests.simulation.market import SimulatedPrices
from tests.simulation.options import Options, draw_options
from tests.simulation.venue import SimulatedVenue
from trading.matching import OrderRequest, OrderType, Side

START = datetime(2024, 8, 1, tzinfo=UTC)
CONTRACT = coin().contract


def venue_of(options: Options) -> SimulatedVenue:
    prices = SimulatedPrices(options, [CONTRACT], START, minutes=90)
    return SimulatedVenue(options, [coin()], prices, START)


def test_quotes_name_the_funding_that_is_charged() -> None:
    venue = venue_of(Options(seed=3, profile="calm", dear_funding=True))
    bought = OrderRequest(symbol=CONTRACT, side=Side.BUY, order_type=OrderType.MARKET, size=Decimal(1))
    assert venue.trade_by_owner(bought).status == "placed"
    quote = venue.quotes()[CONTRACT]
    assert quote.hourly_funding
    venue.catch_up(START + timedelta(minutes=30))
    charged = venue.engine.margin().accrued_funding
    assert abs(charged + quote.hourly_funding * quote.mark / 2) < Decimal("1e-12")


def test_dear_days_charge_forty_times_as_much() -> None:
    told = [
        venue_of(Options(seed=3, profile="calm", dear_funding=dear)).quotes()[CONTRACT].hourly_funding or Decimal(0)
        for dear in (False, True)
    ]
    assert abs(told[0] * 40 - told[1]) < Decimal("1e-12")


def test_some_of_the_drawn_days_are_dear() -> None:
    dear = [draw_options(seed, "swarm").dear_funding for seed in range(300)]
    assert 25 < sum(dear) < 75
