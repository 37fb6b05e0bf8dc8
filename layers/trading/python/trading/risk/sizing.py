"""How much: the loss at the stop, costs included, is the risk per trade; caps only ever make it smaller."""

from __future__ import annotations

from decimal import Decimal

from trading.model.costs import MarketConditions, round_trip_cost
from trading.model.instruments import Instrument, Tier
from trading.model.risk import Sizing
from trading.model.signals import Levels, Signal
from trading.model.units import BasisPoints, Money
from trading.model.venue import Account, Quote
from trading.rules import RiskRules, Rules

PERCENT = Decimal(100)


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
    """The round trip's cost now, in bps of the notional. A missing spread counts as the widest allowed."""
    spread = quote.spread if quote.spread is not None else BasisPoints(rules.universe.maximum_spread_bps)
    market = MarketConditions(spread=spread, hourly_funding=quote.hourly_funding)
    return round_trip_cost(instrument, market, signal.side, signal.regime, rules.cost)


def tier_notional_cap(tier: Tier, equity: Decimal, rules: RiskRules) -> Decimal:
    """The smaller of the tier's share of equity and its USD cap."""
    share, dollars, _ = _tier_numbers(tier, rules)
    return min(equity * share / PERCENT, dollars)


def _tier_numbers(tier: Tier, rules: RiskRules) -> tuple[Decimal, Decimal, Decimal]:
    return {
        Tier.A: (rules.notional_pct_tier_a, rules.notional_usd_tier_a, rules.leverage_tier_a),
        Tier.B: (rules.notional_pct_tier_b, rules.notional_usd_tier_b, rules.leverage_tier_b),
        Tier.C: (rules.notional_pct_tier_c, rules.notional_usd_tier_c, rules.leverage_tier_c),
    }[tier]


def size(levels: Levels, instrument: Instrument, account: Account, cost: BasisPoints, rules: RiskRules) -> Sizing:
    """Quantity for these contract levels. It may come out below the venue's minimum: the gate then refuses."""
    equity = max(account.equity, Decimal(0))
    loss_per_coin = levels.stop_distance + cost.of(levels.entry)
    wanted = equity * rules.risk_per_trade_pct / PERCENT / loss_per_coin
    _, _, leverage = _tier_numbers(instrument.tier, rules)
    caps = {
        "tier_notional": tier_notional_cap(instrument.tier, equity, rules) / levels.entry,
        "leverage": equity * leverage / levels.entry,
        "venue_maximum": instrument.maximum_position,
    }
    smallest = min(caps, key=lambda name: caps[name])
    quantity = instrument.quantity_down(min(wanted, caps[smallest]))
    notional = quantity * levels.entry
    return Sizing(
        quantity=quantity,
        notional=Money(notional),
        margin=Money(notional * instrument.margin_level(notional).initial),
        risk=Money(quantity * loss_per_coin),
        cost=cost,
        capped_by=smallest if caps[smallest] < wanted else "",
    )
