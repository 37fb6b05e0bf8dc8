"""Scenarios of the limits on size, exposure and liquidation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from infra.local.sandbox.control_api import switches
from tests.integration.limits.count_scenarios import enter
from tests.integration.limits.local_stack import LocalStack
from tests.integration.limits.scenario import Scenario
from trading.model.instruments import Side
from trading.model.risk import RefusalReason as R
from trading.model.signals import Setup, Signal

TIGHT = "0.3"
"""Percent: a stop so near that the risk budget alone would buy more than the account is worth."""


def own(stack: LocalStack, dollars: str) -> None:
    stack.venue.engine.books.balance = Decimal(dollars)


def coarser_step(stack: LocalStack) -> None:
    """The venue takes whole tenths of a BTC (6,000 USD) only, and discovery sees it."""

    def in_tenths(document: Any) -> None:
        for row in document["instruments"]:
            if row["symbol"] == stack.contract("BTC"):
                row["contractValueTradePrecision"] = 1

    stack.wire.bent["/instruments"] = in_tenths
    stack.discover()


def account_too_small_for_its_risk(stack: LocalStack, fires: bool) -> Signal:
    """The account holds 15 USD: half a percent of it is less than the venue's smallest order loses at the stop."""
    own(stack, "15" if fires else "30")
    return stack.propose("BTC")


def account_smaller_than_an_order(stack: LocalStack, fires: bool) -> Signal:
    """The account holds 5.50 USD, less than the venue's smallest order is worth, and the stop is near."""
    own(stack, "5.5" if fires else "7")
    return stack.propose("BTC", stop=TIGHT)


def smallest_order_above_the_cap(stack: LocalStack, fires: bool) -> Signal:
    """The venue raises the contract's smallest order to 6,000 USD, and the cap lies at 5,000 USD."""
    if fires:
        coarser_step(stack)
    return stack.propose("BTC", stop=TIGHT)


def venue_maximum_used_up(stack: LocalStack, fires: bool) -> Signal:
    """The venue lowers the largest position to 0.01 BTC, and an entry of ours has taken all of it."""
    stack.change_terms("BTC", max_position=Decimal("0.01"))
    stack.discover()
    if fires:
        enter(stack, ["BTC"])
    return stack.propose("BTC", Side.SHORT)


def trading_dries_up(stack: LocalStack, fires: bool) -> Signal:
    """1,000 USD were traded in the contract in 24 hours: a thousandth of it is less than the smallest order."""
    stack.market.volumes["BTC"] = 1_000 if fires else 10_000
    return stack.propose("BTC")


def book_thins_out(stack: LocalStack, fires: bool) -> Signal:
    """The order book empties to one level a side, which holds the venue's smallest order: half of that may be ours."""
    market = stack.venue.engine.market(stack.contract("BTC"))
    if fires:
        thin = replace(market.liquidity, level_size=market.size_step, level_count=1)
        stack.change_terms("BTC", liquidity=thin)
    return stack.propose("BTC")


def margin_taken_by_volatility(stack: LocalStack, fires: bool) -> Signal:
    """Extreme volatility multiplies the margin of the owner's position by 21, and nothing is left available."""
    stack.by_hand("ATOM", "buy", "10000")
    stack.reconcile()
    stress = {"extreme_volatility": True, "margin_multiplier": "21" if fires else "2"}
    switches(stack.venue, {"market": stack.contract("ATOM"), "stress": stress})
    return stack.propose("BTC")


def three_large_positions(stack: LocalStack, fires: bool) -> Signal:
    """Entries of ours worth 280 % of the equity rest on both sides, and a fourth asks for 45 % more."""
    stack.propose("BTC", stop=TIGHT)
    stack.propose("ETH", Side.SHORT, stop=TIGHT)
    if fires:
        stack.propose("SOL", stop="0.5")
    stack.execute()
    return stack.propose("XRP", Side.SHORT, Setup.FAIR_VALUE_GAP, stop="1")


def one_sided(stack: LocalStack, fires: bool) -> Signal:
    """Long entries of ours worth 180 % of the equity rest, and a third asks for 45 % more."""
    stack.propose("BTC", stop=TIGHT)
    if fires:
        stack.propose("ETH", stop="0.5")
    stack.execute()
    return stack.propose("XRP", stop="1")


def far_beyond_all_stops(stack: LocalStack, fires: bool) -> Signal:
    """An entry of ours rests, and prices are thought to run 170 stop distances beyond both stops."""
    if fires:
        stack.propose("BTC", stop=TIGHT)
        stack.execute()
    return stack.propose("ETH", Side.SHORT, stop=TIGHT)


def stop_nearer_to_liquidation(stack: LocalStack, fires: bool) -> Signal:
    """The signal's stop lies 2 % away, and 1.5 % of the way to liquidation is what a stop may use."""
    return stack.propose("BTC", stop="2" if fires else "1")


SCENARIOS: dict[R, Scenario] = {
    R.MINIMUM_SIZE: Scenario(play=account_too_small_for_its_risk),
    R.TIER_NOTIONAL: Scenario(play=account_smaller_than_an_order),
    R.TIER_NOTIONAL_USD: Scenario(
        play=smallest_order_above_the_cap,
        rules={
            "risk": {"notional_usd_tier_a": 5000, "notional_usd_tier_b": 5000, "notional_usd_tier_c": 5000},
        },
        backstop="A size cap makes the order smaller and refuses only when the venue's smallest order is more than it "
        "allows: that would be one step worth more than 100,000, 50,000 or 25,000 USD. A step of BTC is worth"
        " 6 USD.",
    ),
    R.LEVERAGE: Scenario(
        play=smallest_order_above_the_cap,
        rules={"risk": {"leverage_tier_a": 0.5, "leverage_tier_b": 0.5, "leverage_tier_c": 0.5}},
        backstop="`notional_pct_tier_a/b/c` allow 1, 0.5 and 0.25 times the equity, the leverage caps 10, 5 and 3 "
        "times: the former refuse first.",
    ),
    R.VENUE_MAXIMUM: Scenario(
        play=venue_maximum_used_up,
        rules={"risk": {"maximum_positions_per_instrument": 2}},
        backstop="With one position per instrument nothing of ours is in the contract when an entry is judged, and a "
        "contract's largest position is never below its smallest order: it only ever caps.",
    ),
    R.VOLUME_SHARE: Scenario(play=trading_dries_up),
    R.DEPTH: Scenario(play=book_thins_out),
    R.SINGLE_MARGIN: Scenario(
        play=smallest_order_above_the_cap,
        rules={"risk": {"margin_single_pct": 0.5}},
        backstop="The tier caps hold a position to 100, 50 or 25 % of the equity. Its margin reaches 25 % of the "
        "equity where the venue asks 25, 50 or 100 % initial margin; the local venue's contracts ask 1 to 5 % at such "
        "sizes, and a multiplier that makes 25 % of it is extreme volatility, in which `market_disorder` "
        "refuses before.",
    ),
    R.AVAILABLE_MARGIN: Scenario(play=margin_taken_by_volatility),
    R.GROSS_NOTIONAL: Scenario(play=three_large_positions),
    R.SIDE_NOTIONAL: Scenario(play=one_sided),
    R.LIQUIDATION_BUFFER: Scenario(
        play=far_beyond_all_stops,
        rules={"risk": {"liquidation_extra_stop_share": 170}},
        backstop="`open_risk` keeps what all stops lose within 5 % of the peak, so a further 35 % of each distance "
        "takes less than 2 % more: 93 % of the equity are left. `available_margin` keeps all initial margin "
        "within the equity, and maintenance margin is half of it; even 20 % higher prices at the stops of "
        "shorts make it 60 %.",
    ),
    R.LIQUIDATION_DISTANCE: Scenario(
        play=stop_nearer_to_liquidation,
        rules={"risk": {"liquidation_distance_share": 0.015}},
        backstop="A trade loses 0.5 % of the equity at its stop. It is liquidated when it has lost the equity above "
        "the maintenance margin, at least half of it (see liquidation_buffer): the stop lies at 1 % of the "
        "way, not at 65 %. Where nothing liquidates, the way is the whole price, and `stop_maximum_pct` (15) "
        "is nearer than 65 % of it.",
    ),
}
