"""How much: the loss at the stop, costs included, is the risk per trade; caps only ever make it smaller."""

from __future__ import annotations

from decimal import Decimal

from trading.model.costs import MarketConditions, round_trip_cost
from trading.model.instruments import Instrument, MarginLevel, Side, Tier
from trading.model.risk import RefusalReason, Sizing
from trading.model.signals import Levels, Signal
from trading.model.units import BasisPoints, Money
from trading.model.venue import Quote
from trading.risk.case import Market, Portfolio
from trading.risk.limits import PERCENT
from trading.rules import RiskRules, Rules


def contract_levels(signal: Signal, instrument: Instrument, ratio: Decimal) -> Levels:
    """Spot levels times `ratio` (contract mark / spot price), on the contract's tick.

    The entry is rounded to the passive side and the stop away from the entry, so that rounding never raises the
    risk that was sized; targets go to the nearest tick.
    """
    spot, long = signal.levels, signal.side.sign > 0
    entry, stop = spot.entry * ratio, spot.stop * ratio
    return Levels(
        side=signal.side,
        entry=instrument.price_down(entry) if long else instrument.price_up(entry),
        stop=instrument.price_down(stop) if long else instrument.price_up(stop),
        invalidation=instrument.price_nearest(spot.invalidation * ratio),
        target_1=instrument.price_nearest(spot.target_1 * ratio),
        target_2=instrument.price_nearest(spot.target_2 * ratio),
    )


def trade_cost(signal: Signal, instrument: Instrument, quote: Quote, rules: Rules) -> BasisPoints:
    """The round trip's cost now, in bps of the notional. With a part of the quote missing or crossed it is only
    there to size by: such a market is refused for its incomplete quote."""
    spread = quote.spread
    if spread is None or spread < 0:
        spread = BasisPoints(rules.universe.maximum_spread_bps)
    market = MarketConditions(spread=spread, hourly_funding=quote.hourly_funding or Decimal(0))
    return round_trip_cost(instrument, market, signal.side, signal.regime, rules.cost)


def size(levels: Levels, market: Market, portfolio: Portfolio, cost: BasisPoints, rules: RiskRules) -> Sizing:
    """Quantity for these contract levels. It may come out below the venue's minimum: the gate then refuses."""
    instrument = market.instrument
    loss_per_coin = _loss_per_coin(levels, instrument, cost)
    multiplier = portfolio.multiplier(instrument.contract)
    equity = max(portfolio.account.equity, Decimal(0))
    budget = equity * rules.risk_per_trade_pct / PERCENT / loss_per_coin
    allowed = {
        RefusalReason.MINIMUM_SIZE: budget,
        **{
            reason: notional / levels.entry
            for reason, notional in _notional_caps(market, portfolio, equity, rules).items()
        },
        RefusalReason.VENUE_MAXIMUM: instrument.maximum_position - portfolio.size_in(instrument.contract),
    }
    if rules.depth:
        allowed[RefusalReason.DEPTH] = _closable(levels.side, market, portfolio, rules)
    tightest = min(allowed, key=lambda reason: allowed[reason])
    quantity = instrument.quantity_down(allowed[tightest])
    notional = quantity * levels.entry
    return Sizing(
        quantity=quantity,
        allowed=tuple(allowed.items()),
        notional=Money(notional),
        margin=Money(notional * instrument.margin_level(notional).initial * multiplier),
        risk=Money(quantity * loss_per_coin),
        cost=cost,
        capped_by="" if tightest is RefusalReason.MINIMUM_SIZE else tightest.value,
    )


def _loss_per_coin(levels: Levels, instrument: Instrument, cost: BasisPoints) -> Decimal:
    """USD lost at the stop for each coin, costs included and never as a gain.

    The costs are a share of the entry's notional. A short leaves at a stop above its entry, where the same share is
    more; a rebate for the entry is not.
    """
    rebate = min(instrument.maker_fee, Decimal(0))
    above = max(levels.stop - levels.entry, Decimal(0))
    return levels.stop_distance + max(cost.of(levels.entry), Decimal(0)) + BasisPoints(cost - rebate).of(above)


def _closable(side: Side, market: Market, portfolio: Portfolio, rules: RiskRules) -> Decimal:
    """Base coins that the order book would take back near its mid, several times over; what we have in the contract
    already, entries in flight included, may have to be closed at the same moment."""
    if market.order_book is None:
        return Decimal(0)
    closing = market.order_book.closing(side, rules.depth_within_bps)
    return closing / rules.depth_multiple - portfolio.size_in(market.instrument.contract)


def _notional_caps(
    market: Market, portfolio: Portfolio, equity: Decimal, rules: RiskRules
) -> dict[RefusalReason, Decimal]:
    """USD that each cap allows."""
    instrument = market.instrument
    share, dollars, leverage = _tier_numbers(instrument.tier, rules)
    levels, multiplier = instrument.margin_levels, portfolio.multiplier(instrument.contract)
    available = (
        portfolio.account.available_margin * rules.margin_available_pct / PERCENT - portfolio.initial_in_flight()
    )
    return {
        RefusalReason.TIER_NOTIONAL: equity * share / PERCENT,
        RefusalReason.TIER_NOTIONAL_USD: dollars,
        RefusalReason.LEVERAGE: equity * leverage,
        RefusalReason.VOLUME_SHARE: market.quote.volume_usd * rules.volume_share_pct / PERCENT,
        RefusalReason.SINGLE_MARGIN: notional_for(equity * rules.margin_single_pct / PERCENT, levels, multiplier),
        RefusalReason.AVAILABLE_MARGIN: notional_for(available, levels, multiplier),
    }


def notional_for(margin: Decimal, levels: tuple[MarginLevel, ...], multiplier: Decimal) -> Decimal:
    """The largest notional (USD) whose initial margin is at most `margin`.

    A level's rate applies to the whole notional, so the margin jumps up where a level begins: just below such a jump
    the notional may use less than all of the margin."""
    best = Decimal(0)
    for level, following in zip(levels, (*levels[1:], None), strict=True):
        reached = margin / (level.initial * multiplier)
        if following is not None:
            reached = min(reached, following.from_notional.next_minus())
        if reached >= level.from_notional:
            best = max(best, reached)
    return best


def _tier_numbers(tier: Tier, rules: RiskRules) -> tuple[Decimal, Decimal, Decimal]:
    """Percent of equity, USD and leverage that a position of this tier may have."""
    return {
        Tier.A: (rules.notional_pct_tier_a, rules.notional_usd_tier_a, rules.leverage_tier_a),
        Tier.B: (rules.notional_pct_tier_b, rules.notional_usd_tier_b, rules.leverage_tier_b),
        Tier.C: (rules.notional_pct_tier_c, rules.notional_usd_tier_c, rules.leverage_tier_c),
    }[tier]
