"""Scenarios of the limits on the signal's market."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from infra.local.sandbox.control_api import switches
from tests.integration.limits.local_stack import LocalStack
from tests.integration.limits.scenario import Scenario
from trading.model.risk import RefusalReason as R
from trading.model.signals import Setup, Signal


def expires_while_the_venue_is_slow(stack: LocalStack, fires: bool) -> Signal:
    """The signal has one more second to live when the run begins, and the venue takes three to show the account."""
    if fires:
        stack.wire.late["/accounts"] = 3
    return stack.propose("BTC", life=timedelta(seconds=1))


def coarser_tick(stack: LocalStack, fires: bool) -> Signal:
    """The venue raises the contract's tick to 2,000 USD, more than the stop is away, and discovery sees it."""
    if fires:
        stack.change_terms("BTC", tick_size=Decimal(2000))
    stack.discover()
    return stack.propose("BTC")


def suspended_market(stack: LocalStack, fires: bool) -> Signal:
    """The venue suspends the contract."""
    if fires:
        switches(stack.venue, {"market": stack.contract("LINK"), "status": "suspended"})
    return stack.propose("LINK")


def mark_jumps(stack: LocalStack, fires: bool) -> Signal:
    """The price jumps by 6 % between two runs a minute apart."""
    stack.execute()
    stack.move("LINK", "6" if fires else "3", seconds=60)
    return stack.propose("LINK")


def discovery_stands_still(stack: LocalStack, fires: bool) -> Signal:
    """No discovery for 25 hours."""
    stack.wait(hours=25)
    if not fires:
        stack.discover()
    return stack.propose("BTC")


def venue_slow_between_reads(stack: LocalStack, fires: bool) -> Signal:
    """The spot exchange takes 11 s to show its price: the contract's is that old by then."""
    if fires:
        stack.wire.late["/public/Ticker"] = 11
    return stack.propose("BTC")


def funding_left_out(stack: LocalStack, fires: bool) -> Signal:
    """The venue's ticker of the contract comes without its funding rate."""

    def without_funding(document: Any) -> None:
        for row in document["tickers"]:
            if row["symbol"] == stack.contract("BTC"):
                del row["fundingRate"]

    if fires:
        stack.wire.bent["/tickers"] = without_funding
    return stack.propose("BTC")


def mark_leaves_the_index(stack: LocalStack, fires: bool) -> Signal:
    """The contract's mark goes 1 % above its index."""
    stack.move("LINK", "0", torn_pct="1" if fires else "0.5")
    return stack.propose("LINK")


def market_has_run_away(stack: LocalStack, fires: bool) -> Signal:
    """The price has gone 2 % away from the signal's entry."""
    signal = stack.propose("BTC", away="0")
    stack.move("BTC", "2" if fires else "1", seconds=60)
    return signal


def stop_inside_the_noise(stack: LocalStack, fires: bool) -> Signal:
    """The signal's stop lies 5 bps from its entry."""
    return stack.propose("BTC", stop="0.05" if fires else "0.5")


def stop_far_away(stack: LocalStack, fires: bool) -> Signal:
    """The signal's stop lies 16 % from its entry."""
    return stack.propose("BTC", stop="16" if fires else "14")


def spread_opens_up(stack: LocalStack, fires: bool) -> Signal:
    """The contract's spread opens to 60 bps after the signal was made."""
    stack.widen_spread("BTC", "30" if fires else "20")
    return stack.propose("BTC", setup=Setup.TREND, stop="5")


def fees_rise(stack: LocalStack, fires: bool) -> Signal:
    """The venue raises its taker fee to 40 bps, and discovery sees it."""

    def dearer(document: Any) -> None:
        for schedule in document["feeSchedules"]:
            for tier in schedule["tiers"]:
                tier["takerFee"] = 0.4

    if fires:
        stack.wire.bent["/feeschedules"] = dearer
    stack.discover()
    return stack.propose("BTC", setup=Setup.TREND, stop="5")


def dear_round_trip(stack: LocalStack, fires: bool) -> Signal:
    """The contract's spread opens to 40 bps, which a tight trade pays half of."""
    stack.widen_spread("BTC", "20" if fires else "5")
    return stack.propose("BTC")


def funding_rises(stack: LocalStack, fires: bool) -> Signal:
    """Longs pay 0.6 bps an hour, for the 36 hours that a wide trade is held."""
    stack.market.funding["BTC"] = Decimal("0.00006" if fires else "0.00003")
    return stack.propose("BTC", setup=Setup.TREND, stop="5")


SCENARIOS: dict[R, Scenario] = {
    R.SIGNAL_EXPIRED: Scenario(play=expires_while_the_venue_is_slow),
    R.LEVELS: Scenario(play=coarser_tick),
    R.MARKET_CLOSED: Scenario(play=suspended_market, also=frozenset({R.MARKET_DISORDER})),
    R.MARKET_DISORDER: Scenario(play=mark_jumps),
    R.CONTRACT_AGE: Scenario(play=discovery_stands_still),
    R.QUOTE_AGE: Scenario(play=venue_slow_between_reads),
    R.QUOTE_COMPLETE: Scenario(play=funding_left_out),
    R.BASIS: Scenario(play=mark_leaves_the_index),
    R.ENTRY_COLLAR: Scenario(play=market_has_run_away),
    R.STOP_MINIMUM: Scenario(play=stop_inside_the_noise),
    R.STOP_MAXIMUM: Scenario(play=stop_far_away),
    R.SPREAD: Scenario(play=spread_opens_up),
    R.FEES: Scenario(
        play=fees_rise,
        rules={"risk": {"fee_maximum_bps": 30}},
        backstop="A contract whose fee is above 100 bps, or whose taker fee is negative, never gets into the universe: "
        "an Instrument refuses it, and `fee_maximum_bps` starts at the same 100.",
    ),
    R.COST: Scenario(play=dear_round_trip),
    R.FUNDING: Scenario(play=funding_rises),
}
